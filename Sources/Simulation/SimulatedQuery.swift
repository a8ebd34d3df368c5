package import ServingModel

/// A query of a simulation: when it comes, how long it is, and what it was promised.
package struct SimulatedQuery: Hashable, Sendable {
    /// When it comes, unless it follows another.
    package var arrival: Instant
    package var inputTokens: Int
    /// Length of the answer, at least 1; batching is not told, and policies only if they are given the oracle.
    package var outputTokens: Int
    package var objective: ServiceLevelObjective
    package var tenant: String
    package var priority: Int
    /// The query that it follows in a conversation; nil if it arrives of its own accord.
    package var predecessor: Predecessor?
    /// What the prompt begins with, for workers that keep prefixes and policies that go by them; `none` if unknown.
    package var blocks: PromptBlocks

    /// What a query of a conversation waits for.
    package struct Predecessor: Hashable, Sendable {
        /// Index of the query whose answer is read first.
        package var query: Int
        /// From the end of that answer to this query.
        package var thinkTime: Interval

        package init(query: Int, thinkTime: Interval) {
            self.query = query
            self.thinkTime = thinkTime
        }
    }

    package init(
        arrival: Instant,
        inputTokens: Int,
        outputTokens: Int,
        objective: ServiceLevelObjective = .standard,
        tenant: String = "",
        priority: Int = 0,
        blocks: PromptBlocks = .none,
        predecessor: Predecessor? = nil
    ) {
        self.arrival = arrival
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.objective = objective
        self.tenant = tenant
        self.priority = priority
        self.blocks = blocks
        self.predecessor = predecessor
    }
}

extension SimulatedQuery {
    /// The queries of conversations as closed loops, in the order of the entries that the scripts were made of.
    ///
    /// - Parameter objective: what an entry is promised.
    package static func closedLoop(
        _ scripts: [SessionScript],
        objective: (Trace.Entry) -> ServiceLevelObjective
    ) -> [SimulatedQuery] {
        let calls = scripts.flatMap { script in
            script.calls.enumerated().map { position, call in
                (call: call, start: script.start, previous: position > 0 ? script.calls[position - 1].index : nil)
            }
        }
        let ordered = calls.sorted { $0.call.index < $1.call.index }
        // Entries may have been left out of the scripts: places count what is there.
        let places = Dictionary(uniqueKeysWithValues: ordered.enumerated().map { ($1.call.index, $0) })
        return ordered.map { item in
            SimulatedQuery(
                arrival: .zero + (item.previous == nil ? item.start : item.call.entry.arrival),
                inputTokens: item.call.entry.inputTokens,
                outputTokens: item.call.entry.outputTokens,
                objective: objective(item.call.entry),
                tenant: item.call.entry.tenant,
                priority: item.call.entry.priority,
                blocks: item.call.entry.blocks,
                predecessor: item.previous.flatMap { places[$0] }.map {
                    Predecessor(query: $0, thinkTime: item.call.thinkTime)
                }
            )
        }
    }
}
