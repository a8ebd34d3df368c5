package import ServingModel

extension WorkerView {
    /// Predicts the step that the worker begins now with what it has; nil `step` if there is nothing to do.
    mutating func beginStep(at now: Instant) {
        guard step == nil, !isIdle else { return }
        step = isChunked ? chunkedStep(at: now) : prefillPriorityStep(at: now)
    }

    /// When the worker can begin something else: the end of its step, or now.
    package func nextBoundary(at now: Instant) -> Instant {
        max(step?.end ?? now, now)
    }

    private func prefillPriorityStep(at now: Instant) -> Step {
        let admitted = admissiblePrefix(tokenCap: profile.limits.maximumBatchedTokens)
        let seconds =
            admitted.count > 0
            ? model.prefill(tokens: Double(admitted.tokens), squares: Double(admitted.squares))
            : model.decode(sequences: Double(residents.count), context: Double(contextTokens))
        return Step(
            start: now,
            end: now + .seconds(rounding: seconds),
            prefills: admitted.count,
            isPrefill: admitted.count > 0
        )
    }

    private func chunkedStep(at now: Instant) -> Step {
        let budget = max(0, profile.limits.chunkTokens - residents.count)
        let tokens = min(budget, waitingTokens)
        let share = waitingTokens > 0 ? Double(tokens) / Double(waitingTokens) : 0
        let seconds = model.mixed(
            tokens: Double(tokens),
            squares: Double(waitingSquares) * share,
            sequences: Double(residents.count),
            context: Double(contextTokens)
        )
        var prefills = 0
        var left = tokens
        while prefills < waiting.count, left > 0 {
            left -= waiting[prefills].prefillTokens - waiting[prefills].prefilled
            prefills += 1
        }
        return Step(start: now, end: now + .seconds(rounding: seconds), prefills: prefills, isPrefill: false)
    }

    /// The waiting queries that one prefill step takes, as far as caps and KV memory allow.
    private func admissiblePrefix(tokenCap: Int) -> (count: Int, tokens: Int, squares: Int) {
        var count = 0
        var tokens = 0
        var squares = 0
        var free = roomForPrompts
        for entry in waiting {
            guard residents.count + count < profile.limits.maximumSequences,
                count == 0 || tokens + entry.openTokens <= tokenCap,
                free >= entry.prefillTokens
            else { break }
            free -= entry.prefillTokens + 1
            count += 1
            tokens += entry.openTokens
            squares += entry.openSquares
        }
        return (count, tokens, squares)
    }
}
