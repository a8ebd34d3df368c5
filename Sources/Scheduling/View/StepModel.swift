package import ServingModel

/// A latency profile's coefficients in seconds, laid out for the arithmetic of decisions.
///
/// It has the formulas of `LatencyProfile.seconds(of:)` without their guarantee of bitwise equality.
package struct StepModel: Hashable, Sendable {
    package let c0: Double
    package let c1: Double
    package let k1: Double
    package let k1q: Double
    package let c3: Double
    package let k2: Double
    package let c2: Double
    package let cMix: Double
    private let kneeTokens: Double
    private let k1AboveKnee: Double
    private let kneeSequences: Double
    private let c2AboveKnee: Double
    private let experts: LatencyProfile.Decode?

    package init(_ profile: LatencyProfile) {
        c0 = profile.prefill.c0Milliseconds / 1000
        c1 = profile.prefill.c1Milliseconds / 1000
        k1 = profile.prefill.k1Milliseconds / 1000
        k1q = profile.prefill.k1qMilliseconds / 1000
        kneeTokens = profile.prefill.kneeTokens > 0 ? profile.prefill.kneeTokens : .infinity
        k1AboveKnee = profile.prefill.k1AboveKneeMilliseconds / 1000
        c3 = profile.decode.c3Milliseconds / 1000
        k2 = profile.decode.k2Milliseconds / 1000
        c2 = profile.decode.c2Milliseconds / 1000
        cMix = (profile.mixedConstantMilliseconds ?? profile.decode.c3Milliseconds) / 1000
        kneeSequences = profile.decode.kneeSequences > 0 ? profile.decode.kneeSequences : .infinity
        c2AboveKnee = profile.decode.c2AboveKneeMilliseconds / 1000
        experts = profile.decode.expertMilliseconds > 0 ? profile.decode : nil
    }

    /// Seconds of a step that prefills `tokens` prompt tokens, Σ s² of the prompts being `squares`.
    package func prefill(tokens: Double, squares: Double) -> Double {
        max(c0, k1 * tokens + k1q * squares + c1 + k1AboveKnee(tokens))
    }

    /// Seconds of a step in which `sequences` with `context` tokens together decode one token each.
    package func decode(sequences: Double, context: Double) -> Double {
        k2 * context + c2 * sequences + c3 + c2AboveKnee(sequences) + expertSeconds(sequences)
    }

    /// Seconds of a step that takes in `tokens` prompt tokens beside the decodes; `squares` is Σ (e² − s²) of the chunks.
    package func mixed(tokens: Double, squares: Double, sequences: Double, context: Double) -> Double {
        max(
            c0,
            cMix + k1 * tokens + k1q * squares + k2 * context + c2 * sequences + k1AboveKnee(tokens)
                + c2AboveKnee(sequences) + expertSeconds(tokens + sequences)
        )
    }

    private func expertSeconds(_ tokens: Double) -> Double {
        guard let experts else { return 0 }
        return experts.expertMilliseconds / 1000 * experts.shareOfExperts(tokens: Int(tokens))
    }

    private func k1AboveKnee(_ tokens: Double) -> Double {
        tokens > kneeTokens ? k1AboveKnee * (tokens - kneeTokens) : 0
    }

    private func c2AboveKnee(_ sequences: Double) -> Double {
        sequences > kneeSequences ? c2AboveKnee * (sequences - kneeSequences) : 0
    }
}
