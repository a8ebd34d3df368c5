internal import ServingModel

/// By how much a placement would break each constraint, as a share of what the constraint allows; at most 0 if it holds.
struct Overshoot: Hashable, Sendable {
    /// (a) First tokens of all that waits, the new query included, against their TTFT objective.
    var firstToken = -Double.infinity
    /// (b) The stop for prefills against the slack of what decodes, relative to its ATGT budget.
    var prefill = -Double.infinity
    /// (c) A decode step against θ of the ATGT objective.
    var decode = -Double.infinity
    /// (d) The peak of KV memory against its capacity.
    var kvCache = -Double.infinity
    /// (e) Queries against the cap on sequences.
    var sequences = -Double.infinity

    var worst: Double { max(firstToken, prefill, decode, kvCache, sequences) }
}

extension WorkerBin {
    /// What a placement is asked about.
    struct Question {
        let query: PackedQuery
        let now: Double
        let settings: BestFit.Settings
        /// κ: standard deviations by which the worker stays below its capacities.
        var margin = 0.0
    }

    /// Whether all constraints hold with a query added.
    ///
    /// O(1) in nearly all cases: what takes longer is decided by bounds wherever they suffice. Otherwise (b) takes O(b)
    /// and (d) O(b log b).
    func admits(_ question: Question) -> Bool {
        let query = question.query
        guard count < limits.maximumSequences else { return false }
        let step = decodeStep(adding: query, question.settings)
        guard decodeOvershoot(step: step, question) <= 0 else { return false }
        let spread = question.margin * deviation(adding: query, question.settings)
        let most = finalContext + query.finalContext + kvRounding * Double(count + 1)
        let fitsAnyway = most + spread <= kvCapacity
        // Now is a point of time as well.
        guard fitsAnyway || context(adding: query) <= kvCapacity else { return false }
        if !question.settings.decodesOnly {
            let phase = prefillPhase(adding: query, at: question.now, question.settings)
            guard phase.lateness <= 0, leavesSlack(for: phase.stall, step: step, question) else { return false }
        }
        return fitsAnyway || kvPeak(adding: query) + spread <= kvCapacity
    }

    /// By how much each constraint would be broken with a query added.
    func overshoot(_ question: Question) -> Overshoot {
        let query = question.query
        let step = decodeStep(adding: query, question.settings)
        var overshoot = Overshoot()
        overshoot.sequences = Double(count + 1) / Double(limits.maximumSequences) - 1
        overshoot.decode = decodeOvershoot(step: step, question)
        let spread = question.margin * deviation(adding: query, question.settings)
        let most = finalContext + query.finalContext + kvRounding * Double(count + 1)
        let peak = most + spread <= kvCapacity ? most : kvPeak(adding: query)
        overshoot.kvCache = (peak + spread) / kvCapacity - 1
        guard !question.settings.decodesOnly else { return overshoot }
        let phase = prefillPhase(adding: query, at: question.now, question.settings)
        overshoot.firstToken = phase.lateness
        for position in 0..<decoding {
            let resident = decoding(position)
            guard counts(resident, question) else { continue }
            let budget = resident.objective.tokenTime * (resident.shortest - 1)
            let slack = resident.slack(at: question.now, step: step)
            overshoot.prefill = max(overshoot.prefill, (phase.stall - slack) / budget)
        }
        return overshoot
    }

    // MARK: (c)

    /// Seconds of a decode step of all that is packed and a further query, at the contexts of the middle of their lives.
    func decodeStep(adding query: PackedQuery, _ settings: BestFit.Settings) -> Double {
        model.decode(
            sequences: Double(count + 1),
            context: weightedContext + query.weightedContext(settings.gamma)
        )
    }

    private func decodeOvershoot(step: Double, _ question: Question) -> Double {
        let settings = question.settings
        let spread = question.margin * model.k2 * settings.gamma * deviation(adding: question.query, settings)
        return (step + spread) / (settings.theta * min(tokenTime, question.query.objective.tokenTime)) - 1
    }

    /// σ of the predicted lengths' sum: independent errors, and a part ρ that all have in common.
    private func deviation(adding query: PackedQuery, _ settings: BestFit.Settings) -> Double {
        guard let chance = settings.chance else { return 0 }
        let shared = deviation + query.variance.squareRoot()
        return (variance + query.variance + chance.correlation * shared * shared).squareRoot()
    }

    // MARK: (b)

    private func leavesSlack(for stall: Double, step: Double, _ question: Question) -> Bool {
        guard mostUrgent >= 0 else { return true }
        let now = question.now
        if leastSlack - now - mostRemaining * (step - self.step) >= stall { return true }
        let urgent = decoding(mostUrgent)
        if counts(urgent, question), urgent.slack(at: now, step: step) < stall { return false }
        for position in 0..<decoding {
            let resident = decoding(position)
            if resident.slack(at: now, step: step) < stall, counts(resident, question) { return false }
        }
        return true
    }

    /// Whether a query that decodes protects its worker: not if it is about to end, nor if it is lost and written off.
    private func counts(_ resident: PackedQuery, _ question: Question) -> Bool {
        guard resident.remaining > 0 else { return false }
        return !question.settings.writesOff || resident.slack(at: question.now, step: step) >= 0
    }

    // MARK: (d)

    private func context(adding query: PackedQuery) -> Double {
        var sum = query.context + kvRounding * Double(count + 1)
        for resident in running { sum += resident.context }
        for entry in waiting { sum += entry.context }
        return sum
    }

    /// KV memory in tokens at the worst moment: the peaks are at the completions.
    ///
    /// With the remaining lengths r in ascending order, `max over k of Σ_{i ≥ k}(context + j) + r_k·(n − k + 1)`.
    func kvPeak(adding query: PackedQuery) -> Double {
        var entries = (running + waiting + [query]).map { (remaining: $0.remaining, context: $0.context + kvRounding) }
        entries.sort { $0.remaining < $1.remaining }
        var held = entries.reduce(0) { $0 + $1.context }
        var peak = 0.0
        for (ended, entry) in entries.enumerated() {
            peak = max(peak, held + entry.remaining * Double(entries.count - ended))
            held -= entry.context
        }
        return peak
    }

    // MARK: Fullness

    /// How full it is: the norm of its share of sequences and of the context that its objectives allow.
    func norm(_ settings: BestFit.Settings) -> Double {
        let sequences = Double(count) / Double(limits.maximumSequences)
        let context = contextShare(settings)
        return (sequences * sequences + context * context).squareRoot()
    }

    /// Weighted context as a share of what (c) and the KV cache allow beside so many sequences.
    func contextShare(_ settings: BestFit.Settings) -> Double {
        guard !isEmpty else { return 0 }
        let time = settings.theta * tokenTime - model.decode(sequences: Double(count), context: 0)
        guard time > 0 else { return .greatestFiniteMagnitude.squareRoot() / 2 }
        return weightedContext / (model.k2 > 0 ? min(time / model.k2, kvCapacity) : kvCapacity)
    }
}
