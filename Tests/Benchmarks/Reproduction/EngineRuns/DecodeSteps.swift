internal import Scheduling
internal import ServingModel
internal import Simulation

/// How long a measured run's decode steps took, against the model's at the same batch: queueing taken out.
///
/// From the time between a query's first and last token the model's prefills of the queries that got their first token
/// meanwhile are taken off; what is left, over the tokens, is the mean step. The batch and the context beside it are
/// means over the same time, all from the measurement.
struct DecodeSteps: Sendable {
    /// One answer: the mean batch it was decoded in, and its mean step measured and by the model, in seconds.
    struct Answer: Sendable {
        var batch: Double
        var measured: Double
        var model: Double
    }

    /// Answers of fewer tokens say too little.
    private static let fewestTokens = 20
    private static let samples = 40

    let answers: [Answer]

    init(_ finding: EngineRunFinding, _ profile: LatencyProfile) {
        let model = StepModel(profile)
        let begins = finding.arrivals.indices.map { finding.arrivals[$0] + finding.measured[$0].firstToken }
        let ends = finding.measured.map(\.end)
        let prefills = finding.inputTokens.map { tokens in
            UnloadedLatency(profile: profile, inputTokens: tokens, outputTokens: 1).timeToFirstToken.seconds
        }
        answers = begins.indices.compactMap { index -> Answer? in
            guard finding.outputTokens[index] >= Self.fewestTokens, ends[index] > begins[index] else { return nil }
            let (begin, end) = (begins[index], ends[index])
            let halted = begins.indices.reduce(0) {
                begins[$1] > begin && begins[$1] <= end ? $0 + prefills[$1] : $0
            }
            var batch = 0.0
            var context = 0.0
            for sample in 0..<Self.samples {
                let moment = begin + (Double(sample) + 0.5) / Double(Self.samples) * (end - begin)
                for other in begins.indices where begins[other] <= moment && ends[other] > moment {
                    batch += 1
                    let share = (moment - begins[other]) / (ends[other] - begins[other])
                    context += Double(finding.inputTokens[other]) + share * Double(finding.outputTokens[other])
                }
            }
            batch /= Double(Self.samples)
            context /= Double(Self.samples)
            return Answer(
                batch: batch,
                measured: (end - begin - halted) / Double(finding.outputTokens[index] - 1),
                model: model.decode(sequences: batch, context: context)
            )
        }
    }

    /// Measured over modelled steps.
    var ratios: Distribution { Distribution(answers.map { $0.measured / $0.model }) }

    /// Seconds that one query more in the batch adds to a step, measured and by the model: least squares.
    var slopes: (measured: Double, model: Double) { (slope(\.measured), slope(\.model)) }

    private func slope(_ value: (Answer) -> Double) -> Double {
        let count = Double(max(answers.count, 1))
        let meanBatch = answers.reduce(0) { $0 + $1.batch } / count
        let meanValue = answers.reduce(0) { $0 + value($1) } / count
        let variance = answers.reduce(0) { $0 + ($1.batch - meanBatch) * ($1.batch - meanBatch) }
        let covariance = answers.reduce(0) { $0 + ($1.batch - meanBatch) * (value($1) - meanValue) }
        return variance > 0 ? covariance / variance : 0
    }
}
