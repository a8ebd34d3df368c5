public import ServingModel

/// What to ask a model.
public struct QueryRequest: Hashable, Sendable {
    /// Empty for the only model served.
    public var model: String
    public var input: PromptInput
    /// Output tokens at most; at least 1.
    public var maxTokens: Int
    public var sampling: Sampling
    /// Objectives, priority, tenant and the like, as `x-…` keys in lower case; `docs/protocol.md` lists them.
    public var metadata: [(key: String, value: String)]

    /// On whose account; empty if it does not say.
    var tenant: String { metadata.last { $0.key == "x-aladdin-tenant" }?.value ?? "" }

    public init(
        model: String = "",
        input: PromptInput,
        maxTokens: Int,
        sampling: Sampling = Sampling(),
        metadata: [(key: String, value: String)] = []
    ) {
        self.model = model
        self.input = input
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.metadata = metadata
    }
}

extension QueryRequest {
    public static func == (one: QueryRequest, other: QueryRequest) -> Bool {
        one.model == other.model && one.input == other.input && one.maxTokens == other.maxTokens
            && one.sampling == other.sampling && one.metadata.elementsEqual(other.metadata, by: ==)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(model)
        hasher.combine(input)
        hasher.combine(maxTokens)
        hasher.combine(sampling)
        hasher.combine(metadata.count)
        for (key, value) in metadata {
            hasher.combine(key)
            hasher.combine(value)
        }
    }
}
