internal import ServingModel

/// How many objectives a batch would cost on a worker, as predicted.
struct Hazard {
    /// Of output lengths.
    let survival: SurvivalFunction
    /// Share of a worker's time that prefills will take from its decodes.
    let interference: Double
    /// Whether clients' guesses of lengths count.
    let usesHints: Bool
    let now: Instant

    /// The probability that a query misses its ATGT objective.
    ///
    /// - Parameters:
    ///   - credit: seconds ahead of its pace.
    ///   - tokens: output so far.
    ///   - tokenTime: its objective, in seconds a token.
    ///   - pace: seconds that its worker will take for a token.
    ///   - hint: the client's guess of its length; 0 for none.
    @inline(__always)
    func miss(credit: Double, tokens: Double, tokenTime: Double, pace: Double, hint: Int) -> Double {
        if pace < tokenTime {
            // It recovers, unless its answer ends before.
            guard credit < 0 else { return 0 }
            return end(within: -credit / (tokenTime - pace), after: tokens, hint)
        }
        // It falls behind, unless its answer ends before.
        guard credit >= 0 else { return 1 }
        return 1 - end(within: credit / max(pace - tokenTime, 1e-12), after: tokens, hint)
    }

    /// The probability that an answer ends within the next `count` tokens.
    @inline(__always)
    private func end(within count: Double, after tokens: Double, _ hint: Int) -> Double {
        guard usesHints, hint > 0 else { return survival.probability(endingWithin: count, after: tokens) }
        // A margin of a fifth: whoever trusts a guess to the last token spends every slack to the last millisecond.
        let left = max(1, Double(hint) - tokens)
        return min(1, max(0, (count / left - 0.8) / 0.4))
    }

    /// What a batch would do to a worker.
    struct Choice {
        /// The rise in expected misses.
        var hazard: Double { own + waiting + residents + kv }
        /// Of the batch itself, of what waits there and of what runs there.
        var own = 0.0
        var waiting = 0.0
        var residents = 0.0
        /// Penalty for KV memory that is not there.
        var kv = 0.0
        /// Seconds a token afterwards.
        var pace = 0.0
        /// Seconds by which it sets the residents back.
        var stall = 0.0
        /// Prompt tokens of the batch that it is believed to hold already.
        var cached = 0
        /// The constraint that the batch breaks there, in words; empty if none.
        var failed = ""
    }

    /// The rise in expected misses if a batch goes to a worker now.
    ///
    /// - Parameters:
    ///   - limit: stops counting above it.
    ///   - isLate: the batch's own objectives are lost anyway and don't count.
    func rise(
        of batch: DispatchBatch,
        on worker: WorkerView,
        limit: Double = .infinity,
        isLate: Bool = false
    ) -> Choice {
        let outlook = Outlook(of: worker, with: batch, interference: interference, now: now)
        var choice = Choice(kv: kvPenalty(of: batch, on: worker), pace: outlook.pace, stall: outlook.stall)
        choice.cached = batch.cachedTokens
        if choice.kv > 0 { choice.failed = "its KV cache is too full" }
        if !isLate { countOwn(batch, outlook, &choice) }
        guard choice.hazard < limit else { return choice }
        for (position, waiting) in worker.waiting.enumerated() {
            choice.waiting += rise(of: waiting, isUnderway: position < outlook.underway, outlook)
        }
        countResidents(of: worker, outlook, limit: limit, &choice)
        return choice
    }

    private func countOwn(_ batch: DispatchBatch, _ outlook: Outlook, _ choice: inout Choice) {
        for query in batch.queries {
            let miss = miss(of: query, outlook)
            choice.own += miss
            if miss >= 1, choice.failed.isEmpty {
                let isLate = !query.hasStarted && outlook.firstTokens > query.deadline
                choice.failed = isLate ? "a first token would be late" : "its pace would be too slow"
            }
        }
    }

    /// The probability that a query of a batch misses its own objective.
    private func miss(of query: UnplacedQuery, _ outlook: Outlook) -> Double {
        let (tokenTime, pace, hint) = (query.tokenTime, outlook.pace, query.lengthHint)
        guard let firstToken = query.firstToken else {
            guard outlook.firstTokens <= query.deadline else { return 1 }
            return miss(credit: 0, tokens: 1, tokenTime: tokenTime, pace: pace, hint: hint)
        }
        // It goes on where it stopped: at the next boundary, or after its prefill if its KV cache is lost.
        let resumes = query.prefillTokens > 0 ? outlook.firstTokens.seconds : now.seconds + outlook.untilBoundary
        let credit = tokenTime * Double(query.outputTokens - 1) - (resumes - firstToken)
        return miss(credit: credit, tokens: Double(query.outputTokens), tokenTime: tokenTime, pace: pace, hint: hint)
    }

    /// Each query's own part of `Choice.own`, in the batch's order.
    func ownMisses(of batch: DispatchBatch, on worker: WorkerView) -> [Double] {
        let outlook = Outlook(of: worker, with: batch, interference: interference, now: now)
        return batch.queries.map { miss(of: $0, outlook) }
    }

    private func countResidents(
        of worker: WorkerView,
        _ outlook: Outlook,
        limit: Double,
        _ choice: inout Choice
    ) {
        let steps = outlook.isDecoding ? 1.0 : 0
        let others = choice.own + choice.waiting + choice.kv
        for resident in worker.residents where resident.canMeet {
            let (tokenTime, hint) = (resident.tokenTime, resident.lengthHint)
            let credit = worker.credit(of: resident, at: now.seconds) - outlook.untilBoundary + steps * tokenTime
            let after = credit - outlook.stall
            // What stays ahead at a bearable pace is met either way.
            if after >= 0 && outlook.pace < tokenTime { continue }
            let tokens = Double(worker.outputTokens(of: resident)) + steps
            let before = credit - outlook.stallBefore
            choice.residents +=
                miss(credit: after, tokens: tokens, tokenTime: tokenTime, pace: outlook.pace, hint: hint)
                - miss(credit: before, tokens: tokens, tokenTime: tokenTime, pace: outlook.paceBefore, hint: hint)
            if others + choice.residents >= limit { return }
        }
    }

    private func rise(of waiting: WorkerView.Waiting, isUnderway: Bool, _ outlook: Outlook) -> Double {
        guard isUnderway else {
            let after = start(of: waiting, pace: outlook.pace)
            let before = start(of: waiting, pace: outlook.paceBefore)
            return (outlook.firstTokens > waiting.deadline ? 1 : after)
                - (outlook.firstTokensBefore > waiting.deadline ? 1 : before)
        }
        return start(of: waiting, credit: -outlook.stall, pace: outlook.pace)
            - start(of: waiting, credit: -outlook.stallBefore, pace: outlook.paceBefore)
    }

    /// The probability that a query with its first token just out misses its ATGT objective.
    private func start(of waiting: WorkerView.Waiting, credit: Double = 0, pace: Double) -> Double {
        miss(credit: credit, tokens: 1, tokenTime: waiting.tokenTime, pace: pace, hint: waiting.lengthHint)
    }

    /// 5 if the batch does not fit the KV cache now, 1 if what it will grow to does not, far more if it never will; and
    /// the chance that one of it outgrows the whole cache, so that another worker must begin with it anew.
    private func kvPenalty(of batch: DispatchBatch, on worker: WorkerView) -> Double {
        let capacity = worker.profile.kvCache.capacityTokens
        guard batch.longestContext <= capacity else {
            guard batch.queries.allSatisfy({ $0.contextTokens < capacity }) else { return Self.never }
            let outgrowth = batch.queries.reduce(0) { $0 + chance(that: $1, outgrows: capacity) }
            return outgrowth + presentPenalty(of: batch, on: worker)
        }
        return presentPenalty(of: batch, on: worker)
    }

    /// Beyond any sum of objectives.
    private static let never = 1000.0

    /// The chance that a query's prompt and answer come to more than a KV cache holds.
    ///
    /// By what it may be asked for at most, nearly every query would be too long for any but the largest worker.
    private func chance(that query: UnplacedQuery, outgrows capacity: Int) -> Double {
        guard query.longestContext > capacity else { return 0 }
        let room = Double(capacity - query.contextTokens)
        guard room > 0 else { return Self.never }
        return 1 - end(within: room, after: Double(query.outputTokens), query.lengthHint)
    }

    private func presentPenalty(of batch: DispatchBatch, on worker: WorkerView) -> Double {
        let admissible = worker.admissibleKVTokens
        let needed = worker.usedKVTokens + worker.waitingTokens + batch.contextTokens + batch.queries.count
        let count = worker.load + batch.queries.count
        guard needed <= admissible, count <= worker.profile.limits.maximumSequences else { return 5 }
        // What runs has, on average, half of its answer behind it, and answers end all the time.
        let growth = survival.mean * (0.25 * Double(worker.load) + 0.5 * Double(batch.queries.count))
        return Double(needed) + growth > Double(admissible) ? 1 : 0
    }
}
