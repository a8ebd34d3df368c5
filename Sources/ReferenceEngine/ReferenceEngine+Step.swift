package import EngineInterface
package import ServingModel

extension ReferenceEngine {
    /// Rows of one pass of a long chunk: bounds the memory for activations.
    static let passRows = 512

    /// Some positions to compute, and whether the last of them yields a token.
    private struct Work {
        var sequence: SequenceID
        var range: Range<Int>
        var yieldsToken: Bool
    }

    package func step(_ step: EngineStep) throws(Status) -> [SequenceOutput] {
        for id in step.preempted {
            try update(id) { sequence in
                transformer.cache.release(&sequence.blocks)
                sequence.computed = 0
            }
        }
        let work = try plan(step)
        let yielding = work.filter(\.yieldsToken)
        let hiddenSize = transformer.configuration.hiddenSize
        let states = selectedStates.reserve(yielding.count * hiddenSize)
        let slots = Dictionary(uniqueKeysWithValues: yielding.enumerated().map { ($1.sequence, $0) })

        func keep(_ work: Work, lastRow: UnsafeMutablePointer<Float>) {
            sequences[work.sequence]?.computed = work.range.upperBound
            if work.yieldsToken, work.range.count > 1 || work.range.lowerBound == 0 { notePrefix(of: work.sequence) }
            guard work.yieldsToken, let slot = slots[work.sequence] else { return }
            (states + slot * hiddenSize).update(from: lastRow, count: hiddenSize)
        }
        let short = work.filter { $0.range.count <= MatrixMultiplier.shortChunkRows }
        if !short.isEmpty {
            let hidden = transformer.forward(short.map { segment($0.sequence, $0.range) }, method: .rows)
            var row = 0
            for item in short {
                row += item.range.count
                keep(item, lastRow: hidden + (row - 1) * hiddenSize)
            }
        }
        for item in work where item.range.count > MatrixMultiplier.shortChunkRows {
            for start in stride(from: item.range.lowerBound, to: item.range.upperBound, by: Self.passRows) {
                let range = start..<min(start + Self.passRows, item.range.upperBound)
                let hidden = transformer.forward([segment(item.sequence, range)], method: .panels)
                guard range.upperBound == item.range.upperBound else { continue }
                keep(item, lastRow: hidden + (range.count - 1) * hiddenSize)
            }
        }
        return try outputs(yielding.map(\.sequence), states: states)
    }

    /// Checks the step against the sequences' state and takes the KV blocks that it needs.
    private func plan(_ step: EngineStep) throws(Status) -> [Work] {
        var work: [Work] = []
        var seen: Set<SequenceID> = []
        for id in step.decodes {
            let count = sequences[id]?.tokens.count ?? 0
            work.append(Work(sequence: id, range: max(0, count - 1)..<count, yieldsToken: true))
        }
        for chunk in step.chunks {
            guard chunk.start >= 0, chunk.start < chunk.end else {
                throw Self.misuse(chunk.sequence, "has the chunk \(chunk.start)..<\(chunk.end)")
            }
            let range = try firstMissing(of: chunk)..<chunk.end
            work.append(Work(sequence: chunk.sequence, range: range, yieldsToken: chunk.completesPrompt))
        }
        for item in work {
            guard seen.insert(item.sequence).inserted else {
                throw Self.misuse(item.sequence, "is in the step twice")
            }
            try update(item.sequence) { sequence throws(Status) in
                let range = item.range
                guard !sequence.isFinished else { throw Self.misuse(item.sequence, "is finished") }
                guard range.lowerBound == sequence.computed, range.upperBound <= sequence.tokens.count,
                    !item.yieldsToken || range.upperBound == sequence.tokens.count
                else {
                    throw Self.misuse(
                        item.sequence,
                        "is asked for \(range) and has \(sequence.computed) of \(sequence.tokens.count) tokens computed"
                    )
                }
                guard transformer.cache.extend(&sequence.blocks, toTokens: range.upperBound) else {
                    let free = transformer.cache.freeBlocks
                    throw Status(.resourceExhausted, .outOfMemory, "no KV blocks are left: \(free) free")
                }
            }
        }
        return work
    }

    /// Where a chunk has to begin: its start, but for a sequence that is to take over the beginning of an earlier prompt.
    ///
    /// What was reckoned to be in the cache, and is no more, is computed with the chunk.
    private func firstMissing(of chunk: EngineStep.Chunk) throws(Status) -> Int {
        guard description.keepsPrefixes, chunk.start > 0, sequences[chunk.sequence]?.computed == 0 else {
            return chunk.start
        }
        var first = 0
        try update(chunk.sequence) { sequence in
            let beginning = sequence.tokens[..<min(chunk.start, sequence.tokens.count)]
            sequence.computed = transformer.cache.share(&sequence.blocks, beginning: beginning)
            first = sequence.computed
        }
        return first
    }

    /// Samples a token for each sequence from its hidden state.
    private func outputs(
        _ ids: [SequenceID],
        states: UnsafePointer<Float>
    ) throws(Status) -> [SequenceOutput] {
        guard !ids.isEmpty else { return [] }
        let vocabulary = transformer.configuration.vocabularySize
        let logits = transformer.logits(of: states, count: ids.count)
        var outputs: [SequenceOutput] = []
        for (slot, id) in ids.enumerated() {
            try update(id) { sequence in
                let token = sequence.sampler.sample(
                    logits + slot * vocabulary,
                    count: vocabulary,
                    index: sequence.outputCount
                )
                let (text, finish) = sequence.append(token, of: text)
                outputs.append(SequenceOutput(sequence: id, token: token, text: text, finish: finish))
            }
        }
        return outputs
    }

    private func segment(_ id: SequenceID, _ range: Range<Int>) -> Transformer.Segment {
        let sequence = sequences[id]
        return Transformer.Segment(
            tokens: sequence?.tokens[range] ?? [],
            firstPosition: range.lowerBound,
            blocks: sequence?.blocks ?? []
        )
    }

    private func update(
        _ id: SequenceID,
        _ change: (inout EngineSequence) throws(Status) -> Void
    ) throws(Status) {
        guard var sequence = sequences.removeValue(forKey: id) else {
            throw Self.misuse(id, "was not admitted")
        }
        defer { sequences[id] = sequence }
        try change(&sequence)
    }

    private static func misuse(_ id: SequenceID, _ problem: String) -> Status {
        Status(.internalError, .engineFailed, "sequence \(id.rawValue) \(problem)")
    }
}
