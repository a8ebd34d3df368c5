import Scheduling
import ServingModel

/// A scheduler and workers that take exactly as long as their latency models say, all answers being of hinted length.
struct PackingCluster {
    var scheduler: Scheduler
    var now = Instant.zero
    var lookAgain: Instant?
    /// Where queries went, in order.
    var placements: [(query: UInt64, worker: UInt64)] = []
    /// Queries that ended with their ATGT met or missed.
    var ended = 0
    private var lengths: [QueryNumber: Int] = [:]

    init(
        _ policy: any PlacementPolicy,
        workers: Int,
        profile: LatencyProfile = .packing(),
        batching: BatchingMode = .prefillPriority,
        lengths: LengthHistory = LengthHistory()
    ) {
        scheduler = Scheduler(policy: policy, lengths: lengths, learnsStepTimes: false)
        for worker in 1...workers {
            let joined = WorkerJoined(
                worker: WorkerID(UInt64(worker)),
                name: "w\(worker)",
                engine: "emulated",
                contextLength: profile.kvCache.capacityTokens,
                resumesPrefix: true,
                batching: batching,
                profile: profile
            )
            scheduler.apply(.workerJoined(joined), at: now)
        }
        scheduler.apply(.snapshotComplete, at: now)
    }

    var policy: BestFit? { scheduler.policy as? BestFit }

    /// A query that arrives now; its answer has `output` tokens, which the scheduler is told unless `isTold` is off.
    mutating func arrive(
        _ number: UInt64,
        input: Int,
        output: Int,
        timeToFirstToken: Int64 = 2000,
        tokenTime: Int64 = 100,
        isTold: Bool = true
    ) {
        lengths[QueryNumber(number)] = output
        let query = QueuedQuery(
            number: QueryNumber(number),
            id: QueryID(high: 1, low: number),
            model: "m",
            attempt: 1,
            age: .zero,
            inputTokens: input,
            promptBytes: 0,
            maxTokens: 100_000,
            outputTokensHint: isTold ? output : nil,
            outputTokens: 0,
            objective: ServiceLevelObjective(
                timeToFirstToken: .milliseconds(timeToFirstToken),
                averageTokenTime: .milliseconds(tokenTime)
            ),
            priority: 0,
            tenant: "",
            remaining: nil
        )
        scheduler.apply(.queryQueued(query), at: now)
    }

    /// Puts a query on a worker without asking the policy.
    mutating func put(_ number: UInt64, on worker: UInt64) {
        scheduler.apply(.queryDispatched(QueryNumber(number), to: WorkerID(worker), attempt: 1), at: now)
    }

    /// Asks the policy.
    ///
    /// - Returns: the workers that it chose, in order.
    @discardableResult
    mutating func decide() -> [UInt64] {
        let decision = scheduler.decide(at: now)
        lookAgain = decision.lookAgain
        placements += decision.placements.map { ($0.query.rawValue, $0.worker.rawValue) }
        return decision.placements.map(\.worker.rawValue)
    }

    /// When the next step ends or the policy wants to be asked.
    var nextEvent: Instant? {
        let ends = scheduler.view.workers.compactMap { $0.step?.end }
        let asked = lookAgain.map { max($0, now + Interval(nanoseconds: 1)) }
        return (ends + (asked.map { [$0] } ?? [])).min()
    }

    /// Works off all steps up to an instant, asking the policy after each.
    mutating func advance(to end: Instant) {
        while let next = nextEvent, next <= end {
            now = next
            for worker in scheduler.view.workers where worker.step?.end == now { complete(worker) }
            decide()
        }
        now = max(now, end)
    }

    private mutating func complete(_ worker: WorkerView) {
        guard let step = worker.step else { return }
        let prefilled = worker.waiting.prefix(step.prefills)
        let started = prefilled.map(\.number)
        let workload =
            step.isPrefill
            ? StepWorkload(kind: .prefill, prefillTokens: prefilled.reduce(0) { $0 + $1.prefillTokens })
            : StepWorkload(kind: .decode, decodeSequences: worker.residents.count, contextTokens: worker.contextTokens)
        scheduler.completeLockstep(
            of: worker.id,
            workload,
            took: now - step.start,
            preempted: [],
            started: started,
            at: now
        )
        guard let after = scheduler.view.workers.first(where: { $0.id == worker.id }) else { return }
        for resident in after.residents where after.outputTokens(of: resident) == lengths[resident.number] {
            let end = QueryEnded(
                query: resident.number,
                code: .ok,
                inputTokens: resident.inputTokens,
                outputTokens: after.outputTokens(of: resident)
            )
            scheduler.apply(.queryEnded(end), at: now)
            ended += 1
        }
    }
}

extension LatencyProfile {
    /// Prefill 10 ms + 0.1 ms a token; decode 20 ms + 1 ms a query + 0.01 ms a token of context.
    static func packing() -> LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "test")
        profile.prefill.c1Milliseconds = 10
        profile.prefill.k1Milliseconds = 0.1
        profile.decode.c3Milliseconds = 20
        profile.decode.c2Milliseconds = 1
        profile.decode.k2Milliseconds = 0.01
        profile.kvCache.capacityTokens = 100_000
        profile.kvCache.watermark = 0
        return profile
    }
}

extension BestFit.Settings {
    /// θ = 0.9, γ = 1/2 and all else as it is by default.
    static var loose: BestFit.Settings {
        var settings = BestFit.Settings()
        settings.theta = 0.9
        settings.gamma = 0.5
        return settings
    }
}
