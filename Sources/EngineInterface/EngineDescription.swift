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
    /// Speed, KV capacity and limits; the speed is a first guess where it was not measured.
    public var profile: LatencyProfile

    public init(model: String, kind: String, contextLength: Int, resumesPrefix: Bool, profile: LatencyProfile) {
        self.model = model
        self.kind = kind
        self.contextLength = contextLength
        self.resumesPrefix = resumesPrefix
        self.profile = profile
    }
}
