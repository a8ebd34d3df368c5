import ServingModel

/// The worker model's formulas for the time of a step, written down a second time.
enum NaiveLatency {
    static func duration(_ profile: LatencyProfile, _ work: StepWorkload) -> Interval {
        let nanoseconds = (seconds(profile, work) * 1e9).rounded(.toNearestOrAwayFromZero)
        return Interval(nanoseconds: max(1, Int64(nanoseconds)))
    }

    private static func seconds(_ profile: LatencyProfile, _ work: StepWorkload) -> Double {
        let (k1, k1q) = (profile.prefill.k1Milliseconds / 1000, profile.prefill.k1qMilliseconds / 1000)
        let (k2, c2) = (profile.decode.k2Milliseconds / 1000, profile.decode.c2Milliseconds / 1000)
        let (c0, c1) = (profile.prefill.c0Milliseconds / 1000, profile.prefill.c1Milliseconds / 1000)
        let c3 = profile.decode.c3Milliseconds / 1000
        let cMix = profile.mixedConstantMilliseconds.map { $0 / 1000 } ?? c3
        let (tokens, squares) = (Double(work.prefillTokens), Double(work.prefillSquares))
        let (context, batch) = (Double(work.contextTokens), Double(work.decodeSequences))
        let tokenKnee =
            profile.prefill.kneeTokens > 0
            ? profile.prefill.k1AboveKneeMilliseconds / 1000 * max(0, tokens - profile.prefill.kneeTokens) : 0
        let batchKnee =
            profile.decode.kneeSequences > 0
            ? profile.decode.c2AboveKneeMilliseconds / 1000 * max(0, batch - profile.decode.kneeSequences) : 0
        switch work.kind {
        case .prefill: return max(c0, k1 * tokens + k1q * squares + c1 + tokenKnee)
        case .decode: return k2 * context + c2 * batch + c3 + batchKnee
        case .mixed:
            return max(c0, cMix + k1 * tokens + k1q * squares + k2 * context + c2 * batch + tokenKnee + batchKnee)
        }
    }
}
