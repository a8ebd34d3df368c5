internal import ServingModel

/// What a worker's near future looks like without and with a batch.
struct Outlook {
    /// Seconds to the end of the step under way.
    let untilBoundary: Double
    /// Whether residents get a token at that boundary.
    let isDecoding: Bool
    /// Entries of the worker's queue that the step under way prefills.
    let underway: Int
    /// Seconds by which prefills after the boundary set residents back.
    let stallBefore: Double
    let stall: Double
    /// When those prefills give their first tokens.
    let firstTokensBefore: Instant
    let firstTokens: Instant
    /// Seconds a token from then on.
    let paceBefore: Double
    let pace: Double

    init(of worker: WorkerView, with batch: DispatchBatch, interference: Double, now: Instant) {
        let boundary = worker.nextBoundary(at: now)
        untilBoundary = (boundary - now).seconds
        isDecoding = worker.step.map { !$0.isPrefill } ?? false
        underway = worker.step?.prefills ?? 0
        let done = worker.underway
        let tokens = Double(worker.waitingTokens - done.tokens)
        let squares = Double(worker.waitingSquares - done.squares)
        let before = worker.prefillPhase(tokens: tokens, squares: squares)
        let after = worker.prefillPhase(tokens: tokens + Double(batch.tokens), squares: squares + Double(batch.squares))
        (stallBefore, stall) = (before.stall, after.stall)
        firstTokensBefore = boundary + .seconds(rounding: before.seconds)
        firstTokens = boundary + .seconds(rounding: after.seconds)
        let context = Double(worker.contextTokens + worker.waitingTokens)
        let count = Double(worker.load)
        let slowdown = 1 / (1 - min(interference, 0.9))
        paceBefore = worker.model.decode(sequences: count, context: context) * slowdown
        pace =
            worker.model.decode(
                sequences: count + Double(batch.queries.count),
                context: context + Double(batch.contextTokens)
            ) * slowdown
    }
}

extension WorkerView {
    /// What prefilling prompts takes from the next boundary on, and by how much it sets residents back.
    func prefillPhase(tokens: Double, squares: Double) -> (seconds: Double, stall: Double) {
        guard tokens > 0 else { return (0, 0) }
        guard isChunked else {
            let seconds = model.prefill(tokens: tokens, squares: squares)
            return (seconds, seconds)
        }
        let budget = Double(max(1, profile.limits.chunkTokens - residents.count))
        let steps = (tokens / budget).rounded(.up)
        let decode = model.decode(sequences: Double(residents.count), context: Double(contextTokens))
        let stall = model.k1 * tokens + model.k1q * squares + steps * max(0, model.cMix - model.c3)
        return (stall + steps * decode, stall)
    }
}
