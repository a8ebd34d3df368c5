internal import RecordTables
package import ServingModel

/// Decides at a query's arrival whether it can still be served within its objectives, for the queries of one model.
///
/// It is told what happens to the queries that were let in, and what the workers' steps contained; it knows neither the
/// policy nor who is on which worker. `verdict` then predicts two things of a newcomer:
///
/// - **Token time.** All that is under way, waiting or running, wants a token per token time. The fleet's pace with the
///   newcomer is `κ·(c3 + (c2 + k2·c̄)·b + Σ prefill work / (l̄·workers))`, b the queries under way a worker, c̄ their mean
///   context, l̄ the mean length of answers: each answer pays for its own prompt, token by token. κ is what was measured
///   over what this formula says for each worker's own steps. That is the mean-field capacity, seen from the inside: it
///   sees an overload as soon as it has been let in, not when the first answers turn out late.
/// - **Time to first token.** The prefill work ahead, over the workers; or, where a queue has been standing, over the rate
///   at which queries that were on time have left it; or until a sequence and its KV cache have room.
///
/// The first is held against a share of the objective, for paces scatter around their mean. How far depends on the policy:
/// the share follows, slowly and within narrow bounds, from the answers that came to their end within their objective.
///
/// What fails its own objective is refused. Nothing is as long as there are fewer queries than workers. Events cost
/// O(log n), a verdict O(priorities + kinds of workers). Source: docs/algorithm.md, "Admission".
package struct AdmissionControl: Sendable {
    package let settings: AdmissionSettings
    /// Newcomers refused so far, by what they would have missed.
    package private(set) var refusedForFirstToken = 0
    package private(set) var refusedForTokenTime = 0

    var queue = AdmissionQueue()
    var fleet = FleetSpeed()
    var tenants: TenantShares
    private(set) var pace: MeasuredPace
    /// Prefill work of queries that got their first token in time, a second.
    private(set) var departures: DecayingSum
    /// Queries that got their first token in time, and those that did not, a second.
    private(set) var punctual: DecayingSum
    private(set) var lates: DecayingSum
    /// Queries that ended, a second.
    private(set) var ends: DecayingSum
    /// Answers that came to their end, and their tokens.
    private(set) var answers: DecayingSum
    private(set) var answerTokens: DecayingSum
    /// Mean context of running sequences.
    private(set) var contexts: DecayingSum
    private(set) var contextWeights: DecayingSum
    private(set) var prompts: DecayingSum
    private(set) var promptBytes: DecayingSum
    /// What the shares of token times are multiplied by: policies differ in how far paces scatter around their mean.
    private(set) var trim = 1.0
    private var refusedForTokenTimeAt: Instant?
    /// Queries under way, on average.
    private(set) var usual = TimeAverage()
    /// Queries that were told to come back and may: they have the places that become free first.
    private var promised = 0.0
    private var promisedAt = Instant.zero

    /// Before anything has ended, answers are taken to be this long, as if this many had been seen.
    static let priorAnswer = (tokens: 200.0, weight: 10.0)

    package init(settings: AdmissionSettings = AdmissionSettings()) {
        self.settings = settings
        let sum = DecayingSum(timeConstant: settings.timeConstantSeconds)
        pace = MeasuredPace(timeConstant: settings.timeConstantSeconds)
        tenants = TenantShares(timeConstant: 2 * settings.timeConstantSeconds)
        (departures, ends) = (sum, sum)
        (punctual, lates) = (sum, sum)
        let slow = DecayingSum(timeConstant: 12 * settings.timeConstantSeconds)
        (answers, answerTokens, prompts, promptBytes) = (slow, slow, slow, slow)
        (contexts, contextWeights) = (sum, sum)
    }

    /// Queries that were let in and have not ended.
    package var underWay: Int { queue.entries.count }

    /// Takes note of the time.
    mutating func note(_ now: Instant) {
        usual.note(Double(underWay), timeConstant: settings.timeConstantSeconds, at: now)
        let late = queue.advance(to: now)
        if late > 0 { lates.add(Double(late), at: now) }
    }

    /// Traps if what is kept up to date is not what it would be if computed anew; for tests and simulations.
    package func checkInvariants() {
        queue.checkInvariants()
    }

    // MARK: - What happens

    package mutating func workerJoined(_ joined: WorkerJoined) {
        fleet.add(joined)
    }

    /// A worker takes nothing new; what it ran is told separately if it is lost.
    package mutating func workerLeft(_ worker: WorkerID) {
        fleet.remove(worker)
        pace.remove(worker)
    }

    /// A query was let in.
    ///
    /// - Parameter arrival: when it came, if not now.
    package mutating func queryQueued(
        _ number: QueryNumber,
        _ candidate: AdmissionCandidate,
        arrived arrival: Instant? = nil,
        at now: Instant
    ) {
        note(now)
        let tokens = tokens(of: candidate, at: now)
        queue.add(
            number,
            AdmissionQueue.Entry(
                priority: candidate.priority,
                arrival: arrival ?? now,
                deadline: (arrival ?? now) + candidate.objective.timeToFirstToken,
                tokens: tokens,
                work: fleet.prefillWork(tokens: tokens),
                tokenTime: reachable(candidate.objective.averageTokenTime)
            )
        )
    }

    /// A query's attempt came to nothing, and it waits again.
    package mutating func queryRequeued(_ number: QueryNumber, at now: Instant) {
        note(now)
        queue.move(number, to: .waiting)
        note(now)
    }

    /// A query got its first token, or the first after it was requeued.
    package mutating func firstToken(_ number: QueryNumber, at now: Instant) {
        note(now)
        guard let place = queue.entries.place(of: number) else { return }
        let entry = queue.entries[place: place]
        if entry.stage == .waiting {
            departures.add(entry.work, at: now)
            punctual.add(1, at: now)
        }
        queue.move(number, to: .running)
    }

    /// A query has ended, one way or another; those never let in are ignored.
    ///
    /// - Parameters:
    ///   - inputTokens: as the worker counted them; nil if none did.
    ///   - promptBytes: what is then learnt about.
    ///   - outputTokens: the answer's length if it came to its end; nil if not.
    ///   - metObjective: whether an answer that came to its end did so within its objective.
    package mutating func queryEnded(
        _ number: QueryNumber,
        inputTokens: Int? = nil,
        promptBytes: Int = 0,
        outputTokens: Int?,
        metObjective: Bool = true,
        at now: Instant
    ) {
        guard queue.entries.place(of: number) != nil else { return }
        note(now)
        queue.remove(number)
        ends.add(1, at: now)
        if let outputTokens {
            adjust(met: metObjective, at: now)
            answers.add(1, at: now)
            answerTokens.add(Double(outputTokens), at: now)
        }
        if let inputTokens, promptBytes > 0 {
            prompts.add(Double(inputTokens), at: now)
            self.promptBytes.add(Double(promptBytes), at: now)
        }
    }

    package mutating func workerStepped(
        _ worker: WorkerID,
        _ workload: StepWorkload,
        took duration: Interval,
        at now: Instant
    ) {
        // One that takes nothing new says nothing about those that do.
        guard fleet.contains(worker) else { return }
        var model = 0.0
        if workload.decodeSequences > 0 {
            let count = Double(workload.decodeSequences)
            contexts.add(Double(workload.contextTokens), at: now)
            contextWeights.add(count, at: now)
            let total = queue.total()
            let work = total.count > 0 ? total.work / Double(total.count) : 0
            model = fleet.decodeTime(of: workload, on: worker) + count * work / meanAnswer(at: now)
        }
        pace.note(workload, took: duration, on: worker, model: model, at: now)
    }

    private mutating func adjust(met: Bool, at now: Instant) {
        let target = settings.missTarget
        // Misses of a service that has room have other reasons.
        let isFull = refusedForTokenTimeAt.map { (now - $0).seconds < 2 * settings.timeConstantSeconds } ?? false
        guard met || isFull else { return }
        trim *= met ? 1 + settings.trimStep * target / (1 - target) : 1 - settings.trimStep
        trim = min(max(trim, settings.trimRange.lowerBound), settings.trimRange.upperBound)
    }

    /// Notes a refusal and says how many were told before it to come back and have not had their turn.
    mutating func promise(rate: Double, fails: AdmissionRefusal.Objective, at now: Instant) -> Double {
        // Nobody is told to stay away for longer than the upper bound, so no more than come back by then are waited for.
        let most = rate * settings.retryAfter.upperBound.seconds
        promised = min(max(0, promised - rate * max(0, (now - promisedAt).seconds)), most)
        promisedAt = now
        promised += 1
        switch fails {
        case .timeToFirstToken: refusedForFirstToken += 1
        case .averageTokenTime:
            refusedForTokenTime += 1
            refusedForTokenTimeAt = now
        }
        return promised - 1
    }
}
