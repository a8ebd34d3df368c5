/// The work in one engine step, in the terms of the latency model.
public struct StepWorkload: Hashable, Sendable {
    /// Which formula prices the step.
    public enum Kind: Hashable, Sendable {
        /// Whole prompts only; decoding sequences stand still.
        case prefill
        /// One token for each running sequence.
        case decode
        /// Prompt chunks beside decodes (chunked prefill).
        case mixed
    }

    public var kind: Kind
    /// Prompt tokens in the step: `S` of a prefill, `X` of a mixed step.
    public var prefillTokens: Int
    /// `Q = Σ s²` over the prompts of a prefill; `Y = Σ (e² − s²)` over the chunks `[s, e)` of a mixed step.
    public var prefillSquares: Int
    /// Sequences that decode one token: `b`.
    public var decodeSequences: Int
    /// Σ contexts (prompt + tokens so far) of those sequences at the start of the step: `C`.
    public var contextTokens: Int

    public init(
        kind: Kind,
        prefillTokens: Int = 0,
        prefillSquares: Int = 0,
        decodeSequences: Int = 0,
        contextTokens: Int = 0
    ) {
        self.kind = kind
        self.prefillTokens = prefillTokens
        self.prefillSquares = prefillSquares
        self.decodeSequences = decodeSequences
        self.contextTokens = contextTokens
    }
}
