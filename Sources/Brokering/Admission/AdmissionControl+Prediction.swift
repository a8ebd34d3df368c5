internal import ServingModel

extension AdmissionControl {
    /// Seconds between two tokens if `count` queries with this prefill work were under way, by the profiles alone.
    func modelPace(count: Double, work: Double, at now: Instant) -> Double {
        guard fleet.workers > 0 else { return 0 }
        let load = count / Double(fleet.workers)
        return fleet.decodeTime(load: load, context: meanContext(at: now))
            + work / (meanAnswer(at: now) * Double(fleet.workers))
    }

    /// The same, corrected by what was measured lately.
    func predictedPace(count: Double, work: Double, at now: Instant) -> Double {
        pace.factor(at: now) * modelPace(count: count, work: work, at: now)
    }

    /// A token time in seconds; infinite if not even a query alone would have it, so that there is nothing to lose.
    func reachable(_ tokenTime: Interval) -> Double {
        tokenTime.seconds > fleet.decodeTime(load: 1, context: 1) ? max(tokenTime.seconds, 1e-6) : .infinity
    }

    /// Output tokens of the average answer.
    func meanAnswer(at now: Instant) -> Double {
        let prior = Self.priorAnswer
        let scale = 12 * settings.timeConstantSeconds
        return max(
            1,
            (answerTokens.rate(at: now) * scale + prior.tokens * prior.weight)
                / (answers.rate(at: now) * scale + prior.weight)
        )
    }

    /// Tokens of context of the average running sequence; of those that wait, before anything has run.
    func meanContext(at now: Instant) -> Double {
        let weight = contextWeights.rate(at: now)
        if weight > 1e-9 { return contexts.rate(at: now) / weight }
        let total = queue.total()
        return total.waiting > 0 ? total.waitingTokens / Double(total.waiting) : 0
    }

    /// Prompt tokens, as far as can be told.
    func tokens(of candidate: AdmissionCandidate, at now: Instant) -> Int {
        if let tokens = candidate.inputTokens { return max(1, tokens) }
        let bytes = promptBytes.rate(at: now)
        let perByte = bytes > 1e-9 ? min(prompts.rate(at: now) / bytes, TokenBounds.mostPerByte) : 0.25
        return min(max(1, Int(Double(candidate.promptBytes) * perByte)), TokenBounds.mostOfPrompt)
    }

    /// Whether queries lately missed their TTFT objectives in the queue, and more than by chance.
    func isLosing(at now: Instant) -> Bool {
        let late = lates.rate(at: now)
        return late > 0.02 * (late + punctual.rate(at: now))
    }

    /// Prefill work a second that left the queue in time.
    func departureRate(at now: Instant) -> Double { departures.rate(at: now) }

    /// Queries that end a second: as observed, or what the model says where little has been.
    func endRate(count: Double, pace: Double, at now: Instant) -> Double {
        let modelled = count / max(meanAnswer(at: now) * pace, 1e-6)
        return max(ends.rate(at: now), modelled / 4, 1e-3)
    }
}
