internal import RecordTables
package import ServingModel

/// How many workers each model should have: the scaling policies of the running service, fed by the scheduler's events.
///
/// Where workers are for one phase each, those for prompts and those for decodes are fleets of their own, each sized for
/// the work of its phase by the same policy. Workers for both are neither's; they are not wished for then.
///
/// It only wishes. Whoever runs the fleet reads the wishes from the broker's status and carries them out, or not.
package struct FleetScaling: Sendable {
    /// How often policies are asked.
    package static let tick = Interval.seconds(1)

    private struct Fleet: Sendable {
        let model: String
        let role: WorkerRole
        var monitor: FleetMonitor
        var expected = ExpectedWorkers()
        var policy: any ScalingPolicy
        /// GPUs of the worker that joined last.
        var gpus: Int
        /// Why it was last to grow: the reason for as long as that is waited for.
        var growth = ScalingReason.demand
    }

    private let policy: String
    private let limits: ScalingLimits
    private let startUp: Interval
    private var fleets: [Fleet] = []
    /// Models whose workers were for one phase each when there last were any.
    private var split: Set<String> = []
    /// Before the snapshot is complete nothing is news.
    private var isWatching = false

    /// - Parameter policy: a name of `ScalingCatalog` with its settings.
    /// - Throws: `PolicyError` if there is none such.
    package init(policy: String, limits: ScalingLimits, startUp: Interval = .seconds(30)) throws(PolicyError) {
        self.policy = policy
        self.limits = limits
        self.startUp = startUp
        _ = try ScalingCatalog.make(policy, for: .init(profile: LatencyProfile(model: "", device: ""), limits: limits))
    }

    /// The connection was lost: what was learnt of loads and start-ups stays, what is there is told anew.
    package mutating func reset() {
        isWatching = false
    }

    /// To be told every event before `view` is.
    package mutating func apply(_ event: ClusterEvent, before view: ClusterView, at now: Instant) {
        switch event {
        case .snapshotComplete: isWatching = true
        case .workerJoined(let joined): workerJoined(joined, at: now)
        case .queryQueued(let query) where isWatching && query.attempt == 1:
            change(query.model) { $0.monitor.noteArrival(of: query, in: view) }
        case .stepCompleted(let step):
            guard let slot = view.slot(of: step.worker) else { return }
            change(view.workers[slot].profile.model) { $0.monitor.note(step, in: view, at: now) }
        case .queryEnded(let ended):
            guard let place = view.queries.place(of: ended.query) else { return }
            change(view.queries[place: place].queued.model) { $0.monitor.note(ended, in: view, at: now) }
        default: break
        }
    }

    /// What each model's policy wishes now; to be asked once a tick.
    package mutating func wishes(in view: ClusterView, at now: Instant) -> [FleetWish] {
        guard isWatching else { return [] }
        // Workers that drain count: of what was for one phase each when the last one went, both fleets are to come back.
        for worker in view.workers { split.remove(worker.profile.model) }
        for worker in view.workers where worker.joined.role != .both { split.insert(worker.profile.model) }
        return fleets.indices.compactMap { index in
            let isAsked = (fleets[index].role == .both) != split.contains(fleets[index].model)
            return isAsked ? wish(of: index, in: view, at: now) : nil
        }
    }

    private mutating func wish(of index: Int, in view: ClusterView, at now: Instant) -> FleetWish {
        var observation = fleets[index].monitor.takeObservation(of: view)
        let active = observation.activeWorkers
        observation.startingWorkers = fleets[index].expected.count
        observation.startUpTimes = fleets[index].expected.takeStartUpTimes()
        let wish = fleets[index].policy.desiredWorkers(observation, at: now)
        fleets[index].expected.expect(wish.workers - active, at: now)
        switch wish.reason {
        case .demand, .reserve, .backlog, .limit: fleets[index].growth = wish.reason
        default: break
        }
        // A policy counts those to come as if they were there, and is content with them.
        let isContent = wish.reason == .steady || wish.reason == .lingering
        let isAwaited = isContent && wish.workers > active
        var result = FleetWish(
            model: fleets[index].model,
            workers: wish.workers,
            gpusPerWorker: fleets[index].gpus,
            reason: (isAwaited ? fleets[index].growth : wish.reason).rawValue,
            active: active,
            starting: fleets[index].expected.count,
            offeredLoad: observation.offeredWork / Self.tick.seconds * observation.workersPerWork
        )
        result.role = fleets[index].role
        return result
    }

    private mutating func workerJoined(_ joined: WorkerJoined, at now: Instant) {
        let model = joined.profile.model
        if let index = fleets.firstIndex(where: { $0.model == model && $0.role == joined.role }) {
            if isWatching { fleets[index].expected.joined(at: now) }
            fleets[index].gpus = joined.profile.gpus
            return
        }
        // Where there is one phase there has to be the other.
        let roles: [WorkerRole] = joined.role == .both ? [.both] : [.prefill, .decode]
        for role in roles { add(role, like: joined) }
    }

    private mutating func add(_ role: WorkerRole, like joined: WorkerJoined) {
        let model = joined.profile.model
        guard !fleets.contains(where: { $0.model == model && $0.role == role }) else { return }
        let setting = ScalingCatalog.Fleet(profile: joined.profile, startUp: startUp, limits: limits)
        // The name was checked when this was made.
        guard let policy = try? ScalingCatalog.make(self.policy, for: setting) else { return }
        let monitor = FleetMonitor(model: model, role: role, profile: joined.profile)
        fleets.append(Fleet(model: model, role: role, monitor: monitor, policy: policy, gpus: joined.profile.gpus))
    }

    private mutating func change(_ model: String, _ body: (inout Fleet) -> Void) {
        for index in fleets.indices where fleets[index].model == model { body(&fleets[index]) }
    }
}
