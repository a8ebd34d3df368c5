package import ServingModel

/// Split-phase serving: prompts are computed by workers that do nothing else, and decoded elsewhere.
///
/// The KV cache moves in between, which takes `latency + tokens · bytesPerToken / bytesPerSecond`.
package struct SplitPhase: Sendable {
    /// Of the prefill workers; each says how many bytes of KV cache a token has, 0 if it does not.
    package var profiles: [LatencyProfile]
    /// Seconds before the first byte.
    package var latency = 0.002
    package var bytesPerSecond = 25e9

    /// - Precondition: at least one profile.
    package init(profiles: [LatencyProfile]) {
        precondition(!profiles.isEmpty, "split-phase serving needs a prefill worker")
        self.profiles = profiles
    }

    /// How long the KV cache of a prompt is on its way.
    func transferTime(tokens: Int, from profile: LatencyProfile) -> Interval {
        let secondsPerToken = (profile.kvCache.bytesPerToken ?? 0) / bytesPerSecond
        return .seconds(rounding: latency + secondsPerToken * Double(tokens))
    }
}
