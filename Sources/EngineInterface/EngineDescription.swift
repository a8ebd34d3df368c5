public import ServingModel

/// What a worker tells the broker about its engine.
public struct EngineDescription: Hashable, Sendable {
    /// The model's name, as clients write it.
    public var model: String
    /// `cpu`, `emulated`, `upstream`, `plugin`: the kind of engine.
    ///
    /// An emulated engine says so wherever it shows.
    public var kind: String
    /// Longest prompt and output together, in tokens.
    public var contextLength: Int
    /// Whether a query that began on another worker can continue here from its output so far.
    public var resumesPrefix: Bool
    /// Whether the beginnings of prompts stay in its KV cache for queries to come.
    ///
    /// The worker then leaves out of the first chunk of a prompt what an earlier one began with just the same, as far as
    /// it reckons that to be held still: the chunk's start is not 0. What the engine no longer holds of it, it computes
    /// with the chunk. An engine that takes whole queries does as it likes; it says so that the scheduler sends it what
    /// it will find there.
    public var keepsPrefixes: Bool
    /// Speed, KV capacity and limits; the speed is a first guess where it was not measured.
    public var profile: LatencyProfile

    public init(
        model: String,
        kind: String,
        contextLength: Int,
        resumesPrefix: Bool,
        keepsPrefixes: Bool = false,
        profile: LatencyProfile
    ) {
        self.model = model
        self.kind = kind
        self.contextLength = contextLength
        self.resumesPrefix = resumesPrefix
        self.keepsPrefixes = keepsPrefixes
        self.profile = profile
    }
}
