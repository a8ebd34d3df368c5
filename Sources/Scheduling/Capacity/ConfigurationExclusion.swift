/// Why a way to form workers is not taken, with the figures that say so.
package enum ConfigurationExclusion: Hashable, Sendable {
    /// A query of this many tokens doesn't fit the KV cache (its admissible part), or the weights leave no room at all.
    case queryExceedsKVCache(tokens: Int, capacityTokens: Int)
    /// The constant of a decode step alone is as long as a token may take.
    case paceUnreachable(stepSeconds: Double, limitSeconds: Double)
    /// A long prompt's first token would come too late even on a worker with nothing else waiting.
    case firstTokenTooLate(seconds: Double, limitSeconds: Double)
    /// Not one sequence can be served within the objectives and the memory.
    case noBatch
    /// It could serve the load, at this many times the cost of the one taken.
    case dearer(factor: Double)
}

extension ConfigurationExclusion: CustomStringConvertible {
    package var description: String {
        switch self {
        case .queryExceedsKVCache(let tokens, let capacity):
            "a query of \(tokens) tokens does not fit a KV cache that admits \(capacity)"
        case .paceUnreachable(let step, let limit):
            "a decode step takes \(milliseconds(step)) before any sequence, a token may take \(milliseconds(limit))"
        case .firstTokenTooLate(let seconds, let limit):
            "a long prompt's first token takes \(milliseconds(seconds)), it may take \(milliseconds(limit))"
        case .noBatch:
            "not even one sequence can be served within the objectives"
        case .dearer(let factor):
            "costs \((factor * 100).rounded() / 100) times as many GPUs"
        }
    }

    private func milliseconds(_ seconds: Double) -> String {
        "\((seconds * 10_000).rounded() / 10) ms"
    }
}
