/// How long a KV cache takes from one worker to another: `latency + tokens · bytesPerToken / bytesPerSecond`.
///
/// Source: the worker model, mode C; the standard values are those of a network of 200 Gbit/s.
public struct KVTransfer: Hashable, Sendable {
    /// Seconds before the first byte.
    public var latency = 0.002
    public var bytesPerSecond = 25e9

    public init() {}

    /// - Parameter bytesPerToken: of the model's KV cache; nil counts as none.
    public func time(tokens: Int, bytesPerToken: Double?) -> Interval {
        let secondsPerToken = (bytesPerToken ?? 0) / bytesPerSecond
        return .seconds(rounding: latency + secondsPerToken * Double(tokens))
    }
}
