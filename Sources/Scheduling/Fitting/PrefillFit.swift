package import ServingModel

/// The prefill model of a kind of worker, fitted to measurements.
package struct PrefillFit: Hashable, Sendable {
    package var prefill: LatencyProfile.Prefill
    package var report: FitReport

    /// Only data that reach beyond so many tokens can show where the slope changes.
    private static let longTokens = 2048.0

    /// Chooses the form by cross-validation and fits it; the same measurements in any order give the same fit.
    ///
    /// - Throws: `FittingError` for fewer than three distinct points.
    package init(_ measurements: [PrefillMeasurement], seed: UInt64 = 1) throws(FittingError) {
        let points = MeasuredPoint.points(of: measurements)
        let isLong = (points.map(\.tokens).max() ?? 0) > Self.longTokens
        let selection = FormSelection(
            phase: "prefill",
            forms: Self.forms(withKnee: isLong),
            plain: LatencyForm(name: "affine", phase: .prefill),
            points: points,
            seed: seed
        )
        let (curve, report) = try selection.choose()
        prefill = Self.prefill(curve)
        self.report = report
    }

    private static func forms(withKnee: Bool) -> [LatencyForm] {
        var forms: [LatencyForm] = []
        for knee in withKnee ? [LatencyForm.Knee.none, .tokens] : [.none] {
            for hasFloor in [false, true] {
                for hasSquares in [false, true] {
                    let name = (hasFloor ? "floor+" : "") + "affine" + (hasSquares ? "+squares" : "")
                    forms.append(
                        LatencyForm(
                            name: name + (knee == .none ? "" : "+knee"),
                            phase: .prefill,
                            hasFloor: hasFloor,
                            hasSquares: hasSquares,
                            knee: knee
                        )
                    )
                }
            }
        }
        return forms
    }

    private static func prefill(_ curve: LatencyCurve) -> LatencyProfile.Prefill {
        var prefill = LatencyProfile.Prefill()
        prefill.c0Milliseconds = curve.floor
        for (term, coefficient) in zip(curve.terms, curve.coefficients) {
            switch term {
            case .constant: prefill.c1Milliseconds = coefficient
            case .tokens, .tokensUpTo: prefill.k1Milliseconds = coefficient
            case .tokensBeyond(let knee):
                prefill.kneeTokens = knee
                // The part up to the knee stands before it.
                prefill.k1AboveKneeMilliseconds = coefficient - prefill.k1Milliseconds
            case .squares: prefill.k1qMilliseconds = coefficient
            case .sequences, .sequencesUpTo, .sequencesBeyond, .experts: break
            }
        }
        return prefill
    }
}
