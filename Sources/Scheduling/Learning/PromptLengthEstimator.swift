internal import ServingModel

/// Tokens in a text prompt, from its bytes, learnt per model from finished queries.
package struct PromptLengthEstimator: Sendable {
    /// English in a common vocabulary has about four bytes to a token.
    private static let initialTokensPerByte = 0.25
    private static let weight = 0.05

    private var tokensPerByte = ByModel<Double>()

    package init() {}

    /// At least 1.
    package func tokens(inBytes bytes: Int, model: String) -> Int {
        let tokens = Int(Double(bytes) * (tokensPerByte[model] ?? Self.initialTokensPerByte))
        return min(max(1, tokens), TokenBounds.mostOfPrompt)
    }

    package mutating func observe(tokens: Int, bytes: Int, model: String) {
        guard tokens > 0, bytes > 0 else { return }
        let ratio = min(Double(tokens) / Double(bytes), TokenBounds.mostPerByte)
        let old = tokensPerByte[model] ?? ratio
        tokensPerByte[model] = old + Self.weight * (ratio - old)
    }
}
