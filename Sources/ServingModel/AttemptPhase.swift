/// What a worker does of one attempt at a query.
public enum AttemptPhase: String, Hashable, Sendable, CaseIterable {
    /// All of it.
    case whole
    /// The prompt and the first token; another worker goes on.
    case prefill
    /// The tokens after that, with a KV cache that another worker has filled.
    case decode
}
