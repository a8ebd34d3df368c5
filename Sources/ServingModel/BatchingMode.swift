/// How a worker mixes prefill and decode.
public enum BatchingMode: String, Hashable, Sendable, CaseIterable {
    /// Whole prompts go first and decodes stand still meanwhile.
    case prefillPriority = "prefill-priority"
    /// Prompts are cut into chunks that share their steps with decodes.
    case chunked
}
