internal import ServingModel

/// A query as best-fit weighs it: sizes in tokens, times in seconds.
struct PackedQuery: Hashable, Sendable {
    let number: QueryNumber
    let input: Double
    /// What its prefill takes in: the prompt, and what earlier attempts produced.
    let prefill: Double
    let objective: Objective
    /// When its first token is due; infinite if it has come.
    let deadline: Double
    /// When it came, on an earlier attempt or before a preemption.
    let firstToken: Double?
    /// Output so far.
    var generated: Double
    /// Output in all, as predicted now and when it was placed.
    var predicted: Double
    var atPlacement: Double
    /// Of the prediction; 0 unless constraints have probabilities.
    var variance = 0.0
    /// The output that its slack is reckoned by: as predicted, or what few like it stay below.
    var shortest = 0.0
    /// Output at which the prediction is looked at again.
    var nextPrediction = Double.infinity
    /// Of a running query: when its last token is due.
    var latestEnd = Double.infinity

    struct Objective: Hashable, Sendable {
        let firstToken: Double
        let tokenTime: Double
    }

    var remaining: Double { predicted - generated }
    /// Context now, and at its end.
    var context: Double { input + generated }
    var finalContext: Double { input + predicted }

    func weightedContext(_ gamma: Double) -> Double { input + gamma * predicted }

    /// Seconds that a running query can be held up and still meet its ATGT, if its other tokens take `step` each.
    ///
    /// `T·(l − 1) − (now − f) − (l − g)·step`.
    func slack(at now: Double, step: Double) -> Double {
        latestEnd - now - (shortest - generated) * step
    }

    /// A query with its prediction.
    init(_ query: QueryView, in view: ClusterView, _ settings: BestFit.Settings) {
        number = query.number
        input = Double(query.inputTokens)
        prefill = Double(query.prefillTokens)
        objective = Objective(
            firstToken: query.objective.timeToFirstToken.seconds,
            tokenTime: query.objective.averageTokenTime.seconds
        )
        firstToken = query.firstToken?.seconds
        deadline = query.firstToken == nil ? query.deadline.seconds : .infinity
        generated = Double(query.outputTokens)
        if settings.trustsHints, let hint = query.queued.outputTokensHint, Double(hint) > generated {
            predicted = Double(max(hint, 1))
            (nextPrediction, atPlacement, shortest) = (predicted, predicted, predicted)
            return
        }
        predicted = view.lengths.mean(model: query.queued.model, inputTokens: query.inputTokens)
        atPlacement = predicted
        if generated > 0 || settings.chance != nil {
            let survival = view.lengths.survival(model: query.queued.model, inputTokens: query.inputTokens)
            if generated > 0 { predicted = max(survival.conditionalMean(beyond: generated), generated + 1) }
            take(settings.chance, survival)
        }
        predicted = max(predicted, generated + 1)
        atPlacement = predicted
        nextPrediction = settings.repredicts ? generated + Self.predictionInterval : predicted
    }

    /// Tokens between two predictions of a running query.
    private static let predictionInterval = 16.0

    /// Takes in what a running query has produced since, and predicts it again when that is due.
    mutating func update(
        generated tokens: Int,
        firstToken: Double,
        of model: String,
        in view: ClusterView,
        _ settings: BestFit.Settings
    ) {
        generated = Double(tokens)
        if generated >= nextPrediction { predictAgain(of: model, in: view, settings) }
        weighSlack(firstToken: firstToken, settings)
    }

    /// Takes in that its prefill is under way and ends at `boundary`.
    mutating func start(at boundary: Double, _ settings: BestFit.Settings) {
        generated = max(generated, 1)
        weighSlack(firstToken: firstToken ?? boundary, settings)
    }

    private mutating func weighSlack(firstToken: Double, _ settings: BestFit.Settings) {
        shortest = settings.chance == nil ? predicted : min(max(shortest, generated + 1), max(predicted, generated))
        latestEnd = objective.tokenTime * (shortest - 1) + firstToken
    }

    private mutating func predictAgain(of model: String, in view: ClusterView, _ settings: BestFit.Settings) {
        guard settings.repredicts else {
            predicted = max(predicted, generated + 1)
            nextPrediction = predicted
            return
        }
        let survival = view.lengths.survival(model: model, inputTokens: Int(input))
        predicted = max(survival.conditionalMean(beyond: generated), generated + 1)
        take(settings.chance, survival)
        nextPrediction = min(generated + Self.predictionInterval, predicted)
    }

    private mutating func take(_ chance: BestFit.Chance?, _ survival: SurvivalFunction) {
        guard let chance else { return }
        variance = survival.conditionalVariance(beyond: generated)
        shortest = Double(survival.conditionalQuantile(chance.delta, beyond: generated))
    }
}
