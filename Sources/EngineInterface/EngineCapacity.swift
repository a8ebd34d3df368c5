public import ServingModel

/// What an engine can hold at once; the worker never asks for more.
public struct EngineCapacity: Hashable, Sendable {
    /// Tokens of all resident sequences together, prompts and outputs.
    ///
    /// An engine without a KV cache says what it can bear: `maximumSequences` full contexts, for instance.
    public var kvTokens: Int
    /// Memory is counted in blocks of so many tokens; a sequence holds whole blocks.
    public var blockTokens: Int
    /// Sequences resident at once; twice as many may be admitted, the rest waiting without KV memory.
    public var maximumSequences: Int
    /// Tokens in one step: prompts longer than what the decodes leave of it are cut into chunks.
    ///
    /// It bounds how long a step takes, and so how long a cancelled query or a shutdown waits.
    public var chunkTokens: Int

    public init(kvTokens: Int, blockTokens: Int = 16, maximumSequences: Int = 64, chunkTokens: Int = 512) {
        self.kvTokens = kvTokens
        self.blockTokens = blockTokens
        self.maximumSequences = maximumSequences
        self.chunkTokens = chunkTokens
    }
}

extension EngineDescription {
    /// A description without a guess of the speed: the scheduler learns it from the first steps.
    ///
    /// - Parameters:
    ///   - model: the model's name, as clients write it.
    ///   - kind: the kind of engine, as tables show it.
    ///   - device: what it computes on, as tables show it.
    ///   - contextLength: longest prompt and output together, in tokens.
    ///   - resumesPrefix: whether a query that began on another worker can continue here from its output so far.
    public init(
        model: String,
        kind: String = "custom",
        device: String = "custom",
        contextLength: Int,
        resumesPrefix: Bool = false,
        capacity: EngineCapacity
    ) {
        var profile = LatencyProfile(model: model, device: device)
        profile.kvCache.capacityTokens = capacity.kvTokens
        profile.kvCache.blockTokens = capacity.blockTokens
        profile.limits.maximumSequences = capacity.maximumSequences
        profile.limits.chunkTokens = capacity.chunkTokens
        profile.limits.maximumBatchedTokens = capacity.chunkTokens
        self.init(
            model: model,
            kind: kind,
            contextLength: contextLength,
            resumesPrefix: resumesPrefix,
            profile: profile
        )
    }

    /// Checks what the worker and the broker rely on.
    ///
    /// - Throws: a `Status` that names every field that is wrong.
    public func validate() throws(Status) {
        var profile = profile
        profile.model = model
        var problems = profile.problems().map(\.description)
        if kind.isEmpty { problems.append("kind is empty; expected a word such as custom") }
        if !(1...Int(Int32.max)).contains(contextLength) {
            problems.append("contextLength is \(contextLength); expected a whole number from 1 to \(Int32.max)")
        }
        guard !problems.isEmpty else { return }
        throw Status(.invalidArgument, .engineFailed, "the engine's description: " + problems.joined(separator: "; "))
    }
}
