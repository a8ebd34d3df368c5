/// Chooses among forms by their cross-validated error and reports on the chosen one.
///
/// A form with more parameters must be better by a margin: cross-validation is noisy too, and a knee that is not needed
/// extrapolates badly.
struct FormSelection {
    let phase: String
    let forms: [LatencyForm]
    /// The paper's.
    let plain: LatencyForm
    let points: [MeasuredPoint]
    let seed: UInt64

    /// Share by which a larger form must lower the error.
    private static let margin = 0.03
    /// The same where a share of experts had to be guessed: a dense model must not seem to have some.
    private static let marginOfGuess = 0.2

    /// And the least that it must win in any case: where a form is exact to the last digits, there is nothing to gain.
    private static let leastGain = 1e-4

    func choose() throws(FittingError) -> (curve: LatencyCurve, report: FitReport) {
        let needed = plain.parameters + 1
        guard points.count >= needed else {
            throw .tooFewPoints(points.count, of: phase, needed: needed)
        }
        let validation = CrossValidation(points, seed: seed)
        var tried: [FitReport.Tried] = []
        var best: (form: LatencyForm, errors: [Double], mean: Double)?
        for form in forms.sorted(by: { $0.parameters < $1.parameters }) {
            // One point more than parameters must be left when some are held out.
            let isAffordable = points.count > form.parameters + 1 || form.parameters == plain.parameters
            let errors = isAffordable ? validation.errors { RelativeFit(form, $0).curve() } : nil
            let mean = errors.map { RelativeErrors($0).mean }
            tried.append(.init(form: form.name, parameters: form.parameters, crossValidatedMean: mean))
            guard let errors, let mean else { continue }
            let margin = form.expertShares.count > 1 ? Self.marginOfGuess : Self.margin
            if let best, mean >= best.mean * (1 - margin) - Self.leastGain { continue }
            best = (form, errors, mean)
        }
        guard let best, let curve = RelativeFit(best.form, points).curve() else {
            throw .tooFewPoints(points.count, of: phase, needed: needed)
        }
        return (curve, report(curve, best.form, best.errors, validation, tried))
    }

    private func report(
        _ curve: LatencyCurve,
        _ form: LatencyForm,
        _ crossValidated: [Double],
        _ validation: CrossValidation,
        _ tried: [FitReport.Tried]
    ) -> FitReport {
        let residuals = zip(points, crossValidated).map { point, error in
            FitReport.Residual(
                point: point,
                predictedMilliseconds: curve.milliseconds(at: point),
                error: curve.relativeError(at: point),
                crossValidatedError: error
            )
        }
        let above = residuals.filter { $0.point.tokens > FitReport.fewTokens }
        let paper = PlainFit.curve(plain, points).map { paper in points.map(paper.relativeError) }
        let paperErrors = validation.errors { PlainFit.curve(plain, $0) }
        let paperAbove = paperErrors.map { errors in
            RelativeErrors(zip(points, errors).filter { $0.0.tokens > FitReport.fewTokens }.map(\.1))
        }
        return FitReport(
            form: form.name,
            inSample: RelativeErrors(residuals.map(\.error)),
            crossValidated: RelativeErrors(crossValidated),
            inSampleAbove128: RelativeErrors(above.map(\.error)),
            crossValidatedAbove128: RelativeErrors(above.map(\.crossValidatedError)),
            paperInSample: paper.map(RelativeErrors.init),
            paperCrossValidated: paperErrors.map(RelativeErrors.init),
            paperCrossValidatedAbove128: paperAbove,
            tried: tried,
            residuals: residuals,
            measurements: points.reduce(0) { $0 + $1.repetitions },
            interval: PredictionInterval(curve: curve, parameters: form.parameters, points: points)
        )
    }
}
