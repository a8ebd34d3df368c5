/// What a fit was made from, how well it holds, and what else was tried.
package struct FitReport: Hashable, Sendable {
    /// A form that was tried, with its cross-validated mean error; nil if the points don't suffice for it.
    package struct Tried: Hashable, Sendable {
        package var form: String
        package var parameters: Int
        package var crossValidatedMean: Double?
    }

    /// One point of the grid with the errors there.
    package struct Residual: Hashable, Sendable {
        package var point: MeasuredPoint
        package var predictedMilliseconds: Double
        /// (predicted − measured) / measured of the fit.
        package var error: Double
        /// The same by a fit that has not seen the point.
        package var crossValidatedError: Double
    }

    /// The chosen form.
    package var form: String
    package var inSample: RelativeErrors
    package var crossValidated: RelativeErrors
    /// Over the points of more than 128 tokens, below which a prefill's time is flat and of little interest.
    package var inSampleAbove128: RelativeErrors
    package var crossValidatedAbove128: RelativeErrors
    /// The paper's affine form by ordinary least squares; nil where the points don't determine it.
    package var paperInSample: RelativeErrors?
    package var paperCrossValidated: RelativeErrors?
    package var paperCrossValidatedAbove128: RelativeErrors?
    package var tried: [Tried]
    package var residuals: [Residual]
    /// Measurements behind the points, repetitions counted.
    package var measurements: Int
    package var interval: PredictionInterval

    /// Tokens from which a point counts as one of more than a few.
    static let fewTokens = 128.0
}
