package import ServingModel

/// Split-phase serving: prompts are computed by workers that do nothing else, and decoded elsewhere.
package struct SplitPhase: Sendable {
    /// Of the prefill workers; each says how many bytes of KV cache a token has, 0 if it does not.
    package var profiles: [LatencyProfile]
    /// How the KV cache moves in between.
    package var transfer = KVTransfer()

    /// - Precondition: at least one profile.
    package init(profiles: [LatencyProfile]) {
        precondition(!profiles.isEmpty, "split-phase serving needs a prefill worker")
        self.profiles = profiles
    }

    /// How long the KV cache of a prompt is on its way.
    func transferTime(tokens: Int, from profile: LatencyProfile) -> Interval {
        transfer.time(tokens: tokens, bytesPerToken: profile.kvCache.bytesPerToken)
    }
}
