package import ServingModel

/// Queries as they once arrived: times and lengths, no text.
package struct Trace: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// From the trace's beginning.
        package var arrival: Interval
        package var inputTokens: Int
        package var outputTokens: Int
        /// Queries of one conversation carry the same.
        package var session: Int?
        /// Empty if the trace knows no tenants.
        package var tenant: String
        /// Higher first; negative is sheddable.
        package var priority: Int
        /// nil: the service's default.
        package var objective: ServiceLevelObjective?
        /// What the prompt begins with; `none` if unknown.
        ///
        /// Equal beginnings have equal hashes.
        package var blocks: PromptBlocks
        /// Where in its file the query stands; nil if it came from none.
        package var line: Int?

        package init(
            arrival: Interval,
            inputTokens: Int,
            outputTokens: Int,
            session: Int? = nil,
            tenant: String = "",
            priority: Int = 0,
            objective: ServiceLevelObjective? = nil,
            blocks: PromptBlocks = .none,
            line: Int? = nil
        ) {
            self.arrival = arrival
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
            self.session = session
            self.tenant = tenant
            self.priority = priority
            self.objective = objective
            self.blocks = blocks
            self.line = line
        }
    }

    /// The prompt and answer lengths that are believed.
    static let tokenCounts = 1...100_000_000

    /// In the order of their arrival.
    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// First arrival to last.
    package var span: Interval {
        guard let first = entries.first, let last = entries.last else { return .zero }
        return last.arrival - first.arrival
    }

    /// Queries over span, per second; 0 if they all arrive at once.
    ///
    /// That is also the rate of the trace repeated after its span.
    package var rate: Double {
        span > .zero ? Double(entries.count) / span.seconds : 0
    }
}
