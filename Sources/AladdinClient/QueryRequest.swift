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
    public var metadata: [(key: String, value: String)] {
        get { pairs.map { ($0.key, $0.value) } }
        set { pairs = newValue.map { Pair(key: $0.key, value: $0.value) } }
    }

    /// On whose account; empty if it does not say.
    var tenant: String { pairs.last { $0.key == "x-aladdin-tenant" }?.value ?? "" }

    private struct Pair: Hashable, Sendable {
        var key: String
        var value: String
    }

    private var pairs: [Pair] = []

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
