/// Why a sequence ended well.
public enum FinishReason: Int32, Hashable, Sendable, CaseIterable {
    /// The model emitted an end token, or a stop string appeared.
    case stop = 1
    /// `max_tokens` or the context's end was reached.
    case length = 2
}
