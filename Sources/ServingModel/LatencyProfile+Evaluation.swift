extension LatencyProfile {
    /// The predicted time of one engine step, in seconds.
    ///
    /// ```
    /// prefill  max(c0, k1·S + k1q·Q + c1 + k1'·max(0, S − knee))
    /// decode   k2·C + c2·b + c3 + c2'·max(0, b − knee)
    /// mixed    max(c0, c_mix + k1·X + k1q·Y + k2·C + c2·b + k1'·max(0, X − knee) + c2'·max(0, b − knee))
    /// ```
    ///
    /// On a mixture of experts, `a·(1 − (1 − k/E)^n)` comes last in the sums of decode and mixed steps, n the tokens of
    /// the step (b, or X + b): the share of the experts that at least one of n uniformly routed tokens needs. A prefill
    /// has it in its constant, for a prompt needs them all.
    ///
    /// The terms are added in this order, in double precision and without fused multiply-add, so that every
    /// implementation of the worker model agrees to the nanosecond. Source: the worker model; the first two lines are
    /// the paper's with a quadratic term and knees.
    public func seconds(of workload: StepWorkload) -> Double {
        switch workload.kind {
        case .prefill: prefillSeconds(of: workload)
        case .decode: decodeSeconds(of: workload)
        case .mixed: mixedSeconds(of: workload)
        }
    }

    /// The predicted time of one engine step, rounded to the nearest nanosecond and never shorter than one.
    ///
    /// A result beyond 64 bits, which no valid profile gives for a step within its limits, is held at the longest
    /// interval.
    public func duration(of workload: StepWorkload) -> Interval {
        let nanoseconds = (seconds(of: workload) * 1e9).rounded(.toNearestOrAwayFromZero)
        guard nanoseconds > 1 else { return Interval(nanoseconds: 1) }
        return Interval(nanoseconds: Int64(exactly: nanoseconds) ?? .max)
    }

    private func prefillSeconds(of workload: StepWorkload) -> Double {
        let tokens = Double(workload.prefillTokens)
        var sum = prefill.k1Milliseconds / 1000 * tokens
        sum += prefill.k1qMilliseconds / 1000 * Double(workload.prefillSquares)
        sum += prefill.c1Milliseconds / 1000
        sum += secondsAboveKnee(prefillTokens: tokens)
        return max(prefill.c0Milliseconds / 1000, sum)
    }

    private func decodeSeconds(of workload: StepWorkload) -> Double {
        let sequences = Double(workload.decodeSequences)
        var sum = decode.k2Milliseconds / 1000 * Double(workload.contextTokens)
        sum += decode.c2Milliseconds / 1000 * sequences
        sum += decode.c3Milliseconds / 1000
        sum += secondsAboveKnee(decodeSequences: sequences)
        sum += expertSeconds(tokens: workload.decodeSequences)
        return sum
    }

    private func mixedSeconds(of workload: StepWorkload) -> Double {
        let tokens = Double(workload.prefillTokens)
        let sequences = Double(workload.decodeSequences)
        var sum = (mixedConstantMilliseconds ?? decode.c3Milliseconds) / 1000
        sum += prefill.k1Milliseconds / 1000 * tokens
        sum += prefill.k1qMilliseconds / 1000 * Double(workload.prefillSquares)
        sum += decode.k2Milliseconds / 1000 * Double(workload.contextTokens)
        sum += decode.c2Milliseconds / 1000 * sequences
        sum += secondsAboveKnee(prefillTokens: tokens)
        sum += secondsAboveKnee(decodeSequences: sequences)
        sum += expertSeconds(tokens: workload.prefillTokens + workload.decodeSequences)
        return max(prefill.c0Milliseconds / 1000, sum)
    }

    private func secondsAboveKnee(prefillTokens: Double) -> Double {
        guard prefill.kneeTokens > 0, prefillTokens > prefill.kneeTokens else { return 0 }
        return prefill.k1AboveKneeMilliseconds / 1000 * (prefillTokens - prefill.kneeTokens)
    }

    private func secondsAboveKnee(decodeSequences: Double) -> Double {
        guard decode.kneeSequences > 0, decodeSequences > decode.kneeSequences else { return 0 }
        return decode.c2AboveKneeMilliseconds / 1000 * (decodeSequences - decode.kneeSequences)
    }

    private func expertSeconds(tokens: Int) -> Double {
        guard decode.expertMilliseconds > 0, decode.expertShare > 0 else { return 0 }
        return decode.expertMilliseconds / 1000 * decode.shareOfExperts(tokens: tokens)
    }
}

extension LatencyProfile.Decode {
    /// The share of the experts that at least one of `tokens` needs: `1 − (1 − expertShare)^tokens`.
    ///
    /// Multiplied out by squaring: a power function of the C library may differ from one system to the next.
    package func shareOfExperts(tokens: Int) -> Double {
        var missed = 1.0
        var factor = 1 - expertShare
        var exponent = max(0, tokens)
        while exponent > 0 {
            if exponent & 1 == 1 { missed *= factor }
            factor *= factor
            exponent >>= 1
        }
        return 1 - missed
    }
}
