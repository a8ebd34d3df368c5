internal import Batching
internal import Brokering
internal import HeapModule
internal import Scheduling
internal import ServingModel

extension ClusterSimulation {
    /// Adds a worker that is not announced to the scheduler yet.
    mutating func addWorker(_ profile: LatencyProfile, believed: LatencyProfile, state: SimulatedWorker.State) {
        workers.append(
            SimulatedWorker(
                profile: profile,
                believed: believed,
                mode: configuration.split == nil ? configuration.mode : .prefillPriority,
                state: state,
                keepsPrefixes: configuration.keepsPrefixes,
                noise: configuration.stepTimeNoise,
                stream: workers.count
            )
        )
        present.append(workers.count - 1)
        count(state, 1)
    }

    /// Lets a worker begin to serve, drain or go.
    private mutating func move(_ worker: Int, to state: SimulatedWorker.State) {
        count(workers[worker].state, -1)
        workers[worker].state = state
        count(state, 1)
        if state == .gone { noteGone(worker) }
    }

    private mutating func noteGone(_ worker: Int) {
        if let place = present.firstIndex(of: worker) { present.remove(at: place) }
    }

    private mutating func count(_ state: SimulatedWorker.State, _ change: Int) {
        switch state {
        case .starting: levels.starting += change
        case .active: levels.active += change
        case .draining: levels.draining += change
        case .gone: break
        }
    }

    mutating func announce(_ index: Int) {
        let believed = workers[index].believed
        let joined = WorkerJoined(
            worker: WorkerID(index: index),
            name: "worker-\(index)",
            engine: "simulated",
            contextLength: contextLength,
            resumesPrefix: true,
            keepsPrefixes: workers[index].batch.keepsPrefixes,
            batching: workers[index].batch.mode,
            profile: believed
        )
        scheduler.apply(.workerJoined(joined), at: now)
        admission?.workerJoined(joined)
    }

    mutating func schedule(_ action: FleetEvent.Action, at time: Instant) {
        fleetEventCount += 1
        fleetEvents.insert(FleetEvent(time: time, order: fleetEventCount, action: action))
    }

    /// Works off what happens to the fleet now.
    mutating func changeFleet() {
        while let event = fleetEvents.min, event.time <= now {
            fleetEvents.removeMin()
            switch event.action {
            case .change(.start(let profile, let startUp)): start(profile, believed: profile, startUp: startUp)
            case .change(.drain(let worker)): drain(worker)
            case .change(.fail(let worker)): fail(worker)
            case .started(let worker): finishStartUp(of: worker)
            }
        }
    }

    private mutating func start(_ profile: LatencyProfile, believed: LatencyProfile, startUp: Interval) {
        addWorker(profile, believed: believed, state: .starting(since: now))
        schedule(.started(worker: workers.count - 1), at: now + startUp)
        noteFleet()
    }

    private mutating func finishStartUp(of worker: Int) {
        guard case .starting(let since) = workers[worker].state else { return }
        move(worker, to: .active)
        announce(worker)
        scaler?.meter.noteStartUp(now - since)
        noteFleet()
    }

    /// Lets a worker finish what it has; one that has not started up goes at once.
    private mutating func drain(_ worker: Int) {
        switch workers[worker].state {
        case .starting:
            move(worker, to: .gone)
            noteFleet()
        case .active:
            move(worker, to: .draining)
            scheduler.apply(.workerLeft(WorkerID(index: worker), isDraining: true), at: now)
            admission?.workerLeft(WorkerID(index: worker))
            noteFleet()
            retireIfEmpty(worker)
        case .draining, .gone:
            break
        }
    }

    mutating func retireIfEmpty(_ worker: Int) {
        guard workers[worker].load == 0 else { return }
        move(worker, to: .gone)
        scheduler.apply(.workerLeft(WorkerID(index: worker), isDraining: false), at: now)
        noteFleet()
    }

    private mutating func fail(_ worker: Int) {
        guard workers[worker].state != .gone else { return }
        let wasKnown = workers[worker].state == .active || workers[worker].state == .draining
        count(workers[worker].state, -1)
        noteGone(worker)
        var lost = workers[worker].fail(&queries)
        stepEnds = Heap(stepEnds.unordered.filter { $0.worker != worker })
        if workers[worker].underway > 0 {
            lost += deliveries.unordered.filter { $0.worker == worker }.map(\.query)
            deliveries = Heap(deliveries.unordered.filter { $0.worker != worker })
            workers[worker].underway = 0
        }
        if wasKnown { scheduler.apply(.workerLeft(WorkerID(index: worker), isDraining: false), at: now) }
        admission?.workerLeft(WorkerID(index: worker))
        for index in lost.sorted() { retry(index) }
        noteFleet()
    }

    mutating func noteFleet() {
        levels.time = now
        levels.prefilling = prefillPool?.workers.count ?? 0
        fleet.note(levels)
    }
}

extension ClusterSimulation {
    /// Asks the scaling policy if it is time to, and starts or drains workers.
    mutating func scale() {
        guard scaler?.nextTick == now, let counts = fleet.steps.last else { return }
        scaler?.meter.noteLevels(of: scheduler.view, workers, among: present, counts)
        // What nothing can come of any more is not waited for.
        let isStuck =
            stepEnds.isEmpty && deliveries.isEmpty && fleetEvents.isEmpty && releases.isEmpty
            && arrived == openArrivals.count && prefillPool?.count ?? 0 == 0
        guard let wish = scaler?.wish(at: now, isStuck: isStuck), let setup = scaler?.setup else { return }
        let committed = counts.active + counts.starting
        for _ in 0..<max(0, wish.workers - committed) {
            guard let profile = scaler?.profile else { break }
            start(profile, believed: setup.believed ?? profile, startUp: setup.startUpTime)
        }
        guard wish.workers < committed else { return }
        for worker in leastNeeded.prefix(committed - wish.workers) { drain(worker) }
    }

    /// The workers in the order in which they are drained: the latest to start up first, then the emptiest, the latest of
    /// equals.
    private var leastNeeded: [Int] {
        let starting = present.reversed().filter { if case .starting = workers[$0].state { true } else { false } }
        let active = present.filter { workers[$0].state == .active }
        let loads = active.map { (load: workers[$0].load, worker: -$0) }.sorted { $0 < $1 }
        return starting + loads.map { -$0.worker }
    }
}
