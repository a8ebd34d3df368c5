package import ServingModel

/// The decode model of a kind of worker, fitted to measurements.
package struct DecodeFit: Hashable, Sendable {
    /// What is known of a model's experts.
    package enum Experts: Hashable, Sendable {
        /// A dense model.
        case none
        /// Each token is routed to so many of so many.
        case known(perToken: Int, of: Int)
        /// Nothing is known; a share is taken if the measurements clearly ask for one.
        case search
    }

    package var decode: LatencyProfile.Decode
    package var report: FitReport

    /// From 1 in 256 to 1 in 4: what published mixtures of experts use, and the places between.
    private static let shares: [Double] = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64].map { $0 / 256 }

    /// Chooses the form by cross-validation and fits it; the same measurements in any order give the same fit.
    ///
    /// - Throws: `FittingError` for fewer than four distinct points.
    package init(
        _ measurements: [DecodeMeasurement],
        experts: Experts = .search,
        seed: UInt64 = 1
    ) throws(FittingError) {
        let selection = FormSelection(
            phase: "decode",
            forms: Self.forms(experts),
            plain: LatencyForm(name: "affine", phase: .decode),
            points: MeasuredPoint.points(of: measurements),
            seed: seed
        )
        let (curve, report) = try selection.choose()
        decode = Self.decode(curve)
        self.report = report
    }

    private static func forms(_ experts: Experts) -> [LatencyForm] {
        let shares: [Double] =
            switch experts {
            case .none: []
            case .known(let perToken, let count): [Double(perToken) / Double(count)]
            case .search: Self.shares
            }
        var forms: [LatencyForm] = []
        for knee in [LatencyForm.Knee.none, .sequences] {
            let suffix = knee == .none ? "" : "+knee"
            forms.append(LatencyForm(name: "affine" + suffix, phase: .decode, knee: knee))
            guard !shares.isEmpty else { continue }
            let name = "affine" + suffix + "+experts"
            forms.append(LatencyForm(name: name, phase: .decode, knee: knee, expertShares: shares))
        }
        return forms
    }

    private static func decode(_ curve: LatencyCurve) -> LatencyProfile.Decode {
        var decode = LatencyProfile.Decode()
        for (term, coefficient) in zip(curve.terms, curve.coefficients) {
            switch term {
            case .constant: decode.c3Milliseconds = coefficient
            case .tokens: decode.k2Milliseconds = coefficient
            case .sequences, .sequencesUpTo: decode.c2Milliseconds = coefficient
            case .sequencesBeyond(let knee):
                decode.kneeSequences = knee
                // The part up to the knee stands before it.
                decode.c2AboveKneeMilliseconds = coefficient - decode.c2Milliseconds
            case .experts(let share) where coefficient > 0:
                decode.expertMilliseconds = coefficient
                decode.expertShare = share
            case .tokensUpTo, .tokensBeyond, .squares, .experts: break
            }
        }
        return decode
    }
}
