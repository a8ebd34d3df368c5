internal import ServingModel

extension WorkerBin {
    /// What the prefill of all that waits and a further query does to first tokens and to decodes.
    struct PrefillPhase {
        /// The worst excess over a TTFT objective, relative to it.
        var lateness = -Double.infinity
        /// Seconds from now on for which decodes stand still.
        var stall = 0.0

        /// Notes a first token, unless it is written off for being late anyway.
        mutating func note(_ query: PackedQuery, at time: Double, anyway: Double? = nil) {
            if let anyway, anyway > query.deadline { return }
            lateness = max(lateness, (time - query.deadline) / query.objective.firstToken)
        }
    }

    func prefillPhase(adding query: PackedQuery, at now: Double, _ settings: BestFit.Settings) -> PrefillPhase {
        isChunked ? chunkedPhase(adding: query, at: now, settings) : wholePhase(adding: query, at: now, settings)
    }

    /// Whole prompts, as many in a step as the caps allow, before any decode.
    private func wholePhase(adding query: PackedQuery, at now: Double, _ settings: BestFit.Settings) -> PrefillPhase {
        var phase = PrefillPhase()
        let begin = max(boundary, now)
        var time = begin
        var (first, tokens, squares) = (underway, 0.0, 0.0)
        for position in underway...waiting.count {
            let prompt = position < waiting.count ? waiting[position].prefill : query.prefill
            if position > first, tokens + prompt > Double(limits.maximumBatchedTokens) {
                time += model.prefill(tokens: tokens, squares: squares)
                for entry in waiting[first..<position] {
                    phase.note(entry, at: time, anyway: settings.writesOff ? time : nil)
                }
                (first, tokens, squares) = (position, 0, 0)
            }
            tokens += prompt
            squares += prompt * prompt
        }
        var anyway: Double?
        if settings.writesOff, first < waiting.count {
            let prompt = query.prefill
            anyway = time + model.prefill(tokens: tokens - prompt, squares: squares - prompt * prompt)
        }
        time += model.prefill(tokens: tokens, squares: squares)
        for entry in waiting[first...] { phase.note(entry, at: time, anyway: anyway) }
        phase.note(query, at: time)
        phase.stall = time - (underway > 0 ? now : begin)
        return phase
    }

    /// Chunks of prompts that lengthen decode steps.
    private func chunkedPhase(adding query: PackedQuery, at now: Double, _ settings: BestFit.Settings) -> PrefillPhase {
        var phase = PrefillPhase()
        let begin = max(boundary, now)
        let budget = Double(max(1, limits.chunkTokens - running.count))
        let decode = model.decode(sequences: Double(running.count), context: weightedContext)
        let overhead = max(0, model.cMix - model.c3)
        var (tokens, squares) = (-tokensTaken, -squaresTaken)
        for position in 0...waiting.count {
            let entry = position < waiting.count ? waiting[position] : query
            tokens += entry.prefill
            squares += entry.prefill * entry.prefill
            guard tokens > 0 else { continue }
            let steps = (tokens / budget).rounded(.up)
            phase.stall = model.k1 * tokens + model.k1q * max(0, squares) + steps * overhead
            let time = begin + phase.stall + steps * decode
            // What comes later delays nobody.
            phase.note(entry, at: time, anyway: settings.writesOff && position < waiting.count ? time : nil)
        }
        return phase
    }
}
