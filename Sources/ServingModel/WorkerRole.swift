/// Which phase of queries a worker is for: split-phase serving.
///
/// It is a preference of whoever runs the worker, not a skill: where the other kind is missing, any worker of the model
/// gets whole queries.
public enum WorkerRole: String, Hashable, Sendable, CaseIterable {
    /// Prompts and decodes alike.
    case both
    /// Prompts and first tokens; then it leaves the KV cache for another.
    case prefill
    /// The tokens after the first, of queries whose KV cache it takes in.
    case decode

    /// Whether it is there for prompts.
    public var takesPrompts: Bool { self != .decode }
    /// Whether it is there for queries whose prompt was computed elsewhere.
    public var takesDecodes: Bool { self != .prefill }
}
