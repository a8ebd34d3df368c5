internal import RecordTables
internal import ServingModel

extension ClusterView {
    /// Tokens of a query's prompt that a worker is believed to have in its KV cache.
    ///
    /// It is believed as soon as a query with that beginning was sent there, though its prefill may be still to come.
    package func cachedTokens(of query: QueryView, onSlot slot: Int) -> Int {
        guard !query.queued.blocks.isEmpty, workers[slot].joined.keepsPrefixes else { return 0 }
        return query.tokens(ofBlocks: prefixes.blocks(of: query.queued.blocks, on: workers[slot].id))
    }

    func cachedTokens(of query: UnplacedQuery, onSlot slot: Int) -> Int {
        guard query.namesPrefix, let query = queries[query.number] else { return 0 }
        return cachedTokens(of: query, onSlot: slot)
    }

    mutating func notePrefix(of query: QueryView, onSlot slot: Int) {
        guard !query.queued.blocks.isEmpty, workers[slot].joined.keepsPrefixes else { return }
        let blockTokens = Int((Double(query.inputTokens) * query.queued.blockShare).rounded())
        prefixes.use(query.queued.blocks, blockTokens: max(1, blockTokens), on: workers[slot].id)
    }
}

extension QueryView {
    /// Tokens of so many leading blocks of its prompt; the last token is computed in any case.
    func tokens(ofBlocks count: Int) -> Int {
        let tokens = Double(inputTokens) * queued.blockShare * Double(count)
        return max(0, min(prefillTokens - 1, Int(min(tokens, Double(inputTokens)))))
    }
}
