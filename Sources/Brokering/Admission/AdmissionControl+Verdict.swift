package import ServingModel

extension AdmissionControl {
    /// Lets a newcomer in or refuses it.
    ///
    /// One that is let in and accepted is told with `queryQueued`.
    package mutating func verdict(for candidate: AdmissionCandidate, at now: Instant) -> AdmissionVerdict {
        note(now)
        let tokens = tokens(of: candidate, at: now)
        let verdict = judge(candidate, tokens: tokens, at: now)
        let weight = Double(tokens) + TenantShares.outputWeight * meanAnswer(at: now)
        tenants.note(candidate.tenant, tokens: weight, isAdmitted: verdict == .admit, at: now)
        return verdict
    }

    private mutating func judge(_ candidate: AdmissionCandidate, tokens: Int, at now: Instant) -> AdmissionVerdict {
        guard fleet.workers > 0, underWay >= fleet.workers else { return .admit }
        let all = queue.total()
        let newcomer = Newcomer(
            candidate: candidate,
            tokens: tokens,
            work: fleet.prefillWork(tokens: tokens),
            share: paceShare(for: candidate, at: now),
            neededTokenTime: min(
                reachable(candidate.objective.averageTokenTime),
                all.paces > 0 ? Double(all.count) / all.paces : .infinity
            )
        )
        let peers = queue.total(atLeast: candidate.priority)
        let pace = pace(with: newcomer, beside: all, at: now)
        let wait = wait(for: newcomer, behind: peers, all, pace: pace, at: now)
        let own = fleet.prefillTime(
            tokens: tokens,
            load: Double(all.count) / Double(fleet.workers),
            context: meanContext(at: now)
        )
        let firstToken = wait + own
        let isLate = isLate(newcomer, wait: wait, own: own)
        let isSlow = isSlow(newcomer, pace: pace, peers: peers, all, at: now)
        guard isLate || isSlow else { return .admit }
        let objective = candidate.objective
        let fails = isLate ? AdmissionRefusal.Objective.timeToFirstToken : .averageTokenTime
        let rate = endRate(count: Double(all.count), pace: pace, at: now)
        var delay = promise(rate: rate, fails: fails, at: now) / rate
        if isLate { delay += firstToken - objective.timeToFirstToken.seconds }
        if isSlow { delay += excess(of: newcomer, pace: pace, all, at: now) / rate }
        return .refuse(
            AdmissionRefusal(
                fails: fails,
                objective: objective,
                predictedTimeToFirstToken: .bounded(firstToken),
                predictedTokenTime: .bounded(pace / newcomer.share),
                neededTokenTime: .bounded(newcomer.neededTokenTime),
                retryAfter: min(max(.bounded(delay), settings.retryAfter.lowerBound), settings.retryAfter.upperBound)
            )
        )
    }

    private struct Newcomer {
        let candidate: AdmissionCandidate
        let tokens: Int
        let work: Double
        /// Of its token time: what the fleet's mean pace may be.
        let share: Double
        /// Its own token time, or the mean one of those under way if that is tighter: all have one pace.
        let neededTokenTime: Double
    }

    private mutating func paceShare(for candidate: AdmissionCandidate, at now: Instant) -> Double {
        if candidate.priority < 0 { return trim * settings.sheddableShare }
        let share = tenants.isOverServed(candidate.tenant, at: now) ? settings.overServedShare : settings.paceShare
        return trim * share
    }

    private func pace(with newcomer: Newcomer, beside level: AdmissionQueue.Level, at now: Instant) -> Double {
        predictedPace(count: Double(level.count + 1), work: level.work + newcomer.work, at: now)
    }

    /// Seconds until the newcomer's prefill would begin.
    private func wait(
        for newcomer: Newcomer,
        behind peers: AdmissionQueue.Level,
        _ all: AdmissionQueue.Level,
        pace: Double,
        at now: Instant
    ) -> Double {
        let workers = Double(fleet.workers)
        let context = meanContext(at: now)
        let slowdown = fleet.prefillSlowdown(load: Double(all.count) / workers, context: context)
        var wait = peers.waitingWork * slowdown / workers
        // A queue of young queries is a burst that may be gone in a moment; a standing one tells how fast it moves. But
        // some policies keep queries for as long as they may, so one is believed only when it costs objectives.
        if peers.waiting > 0, isLosing(at: now) {
            let count = Double(peers.waiting)
            let age = now.seconds - peers.arrivals / count
            if age > 0.4 * peers.allowances / count {
                wait = max(wait, peers.waitingWork / max(departureRate(at: now), 1e-3 * peers.waitingWork))
            }
        }
        let beyond = max(
            Double(all.count + 1 - fleet.sequences),
            excessCache(with: newcomer, all, context: context)
        )
        guard beyond > 0 else { return wait }
        return max(wait, beyond / endRate(count: Double(all.count), pace: pace, at: now))
    }

    /// Queries that must end before what is under way and the newcomer fit in the workers' memory.
    private func excessCache(with newcomer: Newcomer, _ all: AdmissionQueue.Level, context: Double) -> Double {
        let held = Double(queue.running) * context + all.waitingTokens + Double(newcomer.tokens)
        return (held - fleet.cacheTokens) / max(context, 1)
    }

    private func isLate(_ newcomer: Newcomer, wait: Double, own: Double) -> Bool {
        let limit = newcomer.candidate.objective.timeToFirstToken.seconds
        // What even an idle worker could not do in time is no sign of overload.
        return own > limit ? wait > limit : wait + own > limit
    }

    /// Whether the newcomer would not get its tokens at its pace, or would keep others from getting theirs.
    private func isSlow(
        _ newcomer: Newcomer,
        pace: Double,
        peers: AdmissionQueue.Level,
        _ all: AdmissionQueue.Level,
        at now: Instant
    ) -> Bool {
        let limit = newcomer.share * newcomer.neededTokenTime
        guard pace > limit else { return false }
        // An answer's pace is a mean over its life: a peak does no harm if the load soon is the usual one again.
        let usualCount = min(usual.value, Double(all.count))
        let usualWork = all.work * usualCount / Double(max(all.count, 1))
        let usualPace = predictedPace(count: usualCount + 1, work: usualWork + newcomer.work, at: now)
        guard usualPace > limit || pace > settings.peak * limit else { return false }
        // What has priority makes its own room: lower ones are let in no more, and are soon done.
        guard peers.count < all.count, newcomer.candidate.priority >= 0 else { return true }
        let own = self.pace(with: newcomer, beside: peers, at: now)
        return own > limit || pace > settings.headroom * limit
    }

    /// Queries that must end before the pace is what it may be.
    private func excess(of newcomer: Newcomer, pace: Double, _ all: AdmissionQueue.Level, at now: Instant) -> Double {
        let idle = predictedPace(count: 0, work: 0, at: now)
        guard pace > idle else { return 0 }
        let room = max(0, newcomer.share * newcomer.neededTokenTime - idle) / (pace - idle)
        return Double(all.count + 1) * max(0, 1 - room)
    }
}

extension Interval {
    /// Seconds that may be beyond all measure.
    fileprivate static func bounded(_ seconds: Double) -> Interval {
        .seconds(rounding: min(max(seconds, 0), 1e6))
    }
}
