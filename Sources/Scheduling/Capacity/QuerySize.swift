/// The two lengths that decide what a query costs.
package struct QuerySize: Hashable, Sendable {
    /// Prompt tokens, at least 1.
    package var inputTokens: Int
    /// Tokens of the answer, at least 1; the first comes out of the prefill.
    package var outputTokens: Int

    package init(inputTokens: Int, outputTokens: Int) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }

    /// Decode steps that the answer takes part in.
    package var decodeTokens: Int { max(outputTokens - 1, 0) }

    /// The contexts of those steps together: `l_in + g` for g = 1 … l_out − 1, each at the start of its step.
    package var contextSum: Double {
        let decodes = Double(decodeTokens)
        return decodes * Double(inputTokens) + decodes * (decodes + 1) / 2
    }
}
