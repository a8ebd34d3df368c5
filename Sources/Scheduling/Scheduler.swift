package import ServingModel

/// The scheduler as a pure machine: events in, placements out.
///
/// It is soft state. Until the snapshot of a new connection is complete it places nothing.
package struct Scheduler: Sendable {
    package private(set) var view = ClusterView()
    package private(set) var placed: UInt64 = 0
    package private(set) var policy: any PlacementPolicy
    private var isReady = false

    /// - Parameters:
    ///   - policy: decides.
    ///   - lengths: what is known of output lengths beforehand.
    ///   - learnsStepTimes: whether workers' latency models follow the times of their steps.
    ///   - explains: whether placements carry the reasons for them.
    package init(
        policy: any PlacementPolicy,
        lengths: LengthHistory = LengthHistory(),
        learnsStepTimes: Bool = true,
        explains: Bool = false
    ) {
        self.policy = policy
        view.lengths = lengths
        view.learnsStepTimes = learnsStepTimes
        view.wantsExplanations = explains
    }

    /// Forgets the cluster, not what was learnt of lengths: the connection was lost, and the next one begins with a snapshot.
    package mutating func reset() {
        var fresh = ClusterView()
        fresh.promptLengths = view.promptLengths
        fresh.lengths = view.lengths
        fresh.learnsStepTimes = view.learnsStepTimes
        fresh.wantsExplanations = view.wantsExplanations
        view = fresh
        isReady = false
    }

    /// Decides by another policy, which has seen nothing yet, from the next snapshot on.
    ///
    /// What was learnt of workers' step times waits for those that the snapshot has again.
    package mutating func restart(with policy: any PlacementPolicy) {
        let learnt = view.workers.map { ($0.id, $0.estimator) }
        reset()
        view.learntSteps = Dictionary(learnt) { $1 }
        self.policy = policy
    }

    package mutating func apply(_ events: [ClusterEvent], at now: Instant) {
        for event in events { apply(event, at: now) }
    }

    package mutating func apply(_ event: ClusterEvent, at now: Instant) {
        view.apply(event, at: now)
        if case .snapshotComplete = event { isReady = true }
    }

    /// Takes in a query that was prefilled elsewhere and waits to be placed for its decodes alone: split-phase serving.
    ///
    /// - Parameters:
    ///   - query: with its output so far, the first token included.
    ///   - firstToken: when that came.
    package mutating func queuePrefilled(_ query: QueuedQuery, firstToken: Instant, at now: Instant) {
        view.queue(query, prefilled: firstToken, at: now)
    }

    /// Decides about what waits, once after each round of events and whenever the last decision asked for it.
    package mutating func decide(at now: Instant) -> Decision {
        defer { view.beginSteps(at: now) }
        guard isReady, !view.unplaced.isEmpty || !view.deferred.isEmpty else { return Decision() }
        let prompts = view.placePrompts(at: now)
        var decision = Decision()
        if prompts.isEmpty || !view.unplaced.isEmpty || !view.deferred.isEmpty {
            decision = policy.decide(in: &view, at: now)
        }
        decision.placements.insert(contentsOf: prompts, at: 0)
        view.avoidRepetition(in: &decision, at: now)
        placed += UInt64(decision.placements.count)
        return decision
    }

    /// Takes in a step of a worker whose decodes advance together, without a name for each of them.
    ///
    /// It is what `apply` makes of a `StepCompleted` event; a simulator that knows saves the list.
    ///
    /// - Parameters:
    ///   - imported: queries that arrived prefilled and that the worker took in with this step; `preempted` may name them.
    ///   - preempted: running queries that lost their KV memory before the step, youngest first.
    ///   - started: queries whose prompts the step completed, in order; each has a token more.
    package mutating func completeLockstep(
        of worker: WorkerID,
        _ workload: StepWorkload,
        took duration: Interval,
        preempted: [QueryNumber],
        imported: [QueryNumber] = [],
        started: [QueryNumber],
        at now: Instant
    ) {
        guard let slot = view.slot(of: worker) else { return }
        view.completeStep(
            of: slot,
            workload,
            took: duration,
            preempted,
            .every,
            imported: imported,
            started: started,
            at: now
        )
    }
}
