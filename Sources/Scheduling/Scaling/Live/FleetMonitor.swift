internal import RecordTables
internal import ServingModel

/// Counts, event by event, what a scaling policy is told of one model's workers in the running service.
///
/// Where workers are for one phase each, there is one of these for the prompts and one for the decodes: each counts the
/// work of its phase alone, as a profile would have it for which the other costs nothing.
struct FleetMonitor: Sendable {
    /// How busy workers for prompts alone are meant to be: low enough that prompts rarely wait for each other long.
    private static let prefillUtilisation = 0.6

    /// Ticks over which attainment is taken.
    private static let window = 60
    /// Weight of a query's objective in the pace that workers are planned for.
    private static let objectiveWeight = 0.02
    /// Weight of a tick in the mean work of a query.
    private static let workWeight = 0.05

    private let model: String
    private let role: WorkerRole
    /// Pace that is asked for, in seconds a token: a moving average over what arrives.
    private var tokenTime = ServiceLevelObjective.standard.averageTokenTime.seconds
    /// Mean work of a query, in worker-seconds; 0 before the first.
    private var meanWork = 0.0
    private var capacity: MeanFieldCapacity
    private var observation = FleetObservation()
    private var firstTokens = (count: 0, seconds: 0.0)
    private var runningSeconds = 0.0
    private var ends = (met: 0, count: 0)
    private var recentEnds: [(met: Int, count: Int)] = []

    init(model: String, role: WorkerRole, profile: LatencyProfile) {
        self.model = model
        self.role = role
        capacity = MeanFieldCapacity(
            profile: profile.phase(role),
            averageTokenTime: .seconds(rounding: ServiceLevelObjective.standard.averageTokenTime.seconds)
        )
    }

    /// Workers that a worker-second of work per second needs.
    private var workersPerWork: Double {
        if role == .prefill { return MeanFieldCapacity.steadyUtilisation / Self.prefillUtilisation }
        return capacity.soldShare > 0 ? 1 / capacity.soldShare : 1
    }

    mutating func noteArrival(of query: QueuedQuery, in view: ClusterView) {
        let tokens = query.inputTokens ?? view.promptLengths.tokens(inBytes: query.promptBytes, model: query.model)
        observation.arrivedQueries += 1
        observation.arrivedInputTokens += tokens
        observation.offeredWork += work(inputTokens: tokens, query.tenant, view.lengths)
        tokenTime += Self.objectiveWeight * (query.objective.averageTokenTime.seconds - tokenTime)
    }

    /// - Parameter view: as it was before the step.
    mutating func note(_ step: StepCompleted, in view: ClusterView, at now: Instant) {
        observation.prefillTokens += step.workload.prefillTokens
        observation.decodeTokens += step.workload.decodeSequences
        let running = view.slot(of: step.worker).map { view.workers[$0].residents.count } ?? 0
        runningSeconds += step.duration.seconds * Double(running)
        for advance in step.advanced {
            guard let place = view.queries.place(of: advance.query), view.queries[place: place].firstToken == nil else {
                continue
            }
            firstTokens.count += 1
            firstTokens.seconds += (now - view.queries[place: place].arrival).seconds
        }
    }

    /// - Parameter view: as it was before the end.
    mutating func note(_ ended: QueryEnded, in view: ClusterView, at now: Instant) {
        guard let place = view.queries.place(of: ended.query), ended.code == .ok || ended.code == .deadlineExceeded
        else {
            return
        }
        observation.finishedQueries += 1
        observation.finishedOutputTokens += ended.outputTokens
        ends.count += 1
        guard ended.code == .ok, let firstToken = view.queries[place: place].firstToken else { return }
        let isMet = view.queries[place: place].objective.isMet(
            arrival: view.queries[place: place].arrival,
            firstToken: firstToken,
            lastToken: now,
            outputTokens: ended.outputTokens
        )
        if isMet { ends.met += 1 }
    }

    /// What was observed since the last time, and the levels of this moment.
    mutating func takeObservation(of view: ClusterView) -> FleetObservation {
        var result = observation
        noteLevels(of: view, &result)
        if firstTokens.count > 0 { result.meanFirstTokenSeconds = firstTokens.seconds / Double(firstTokens.count) }
        if result.decodeTokens > 0 { result.meanTokenSeconds = runningSeconds / Double(result.decodeTokens) }
        recentEnds.append(ends)
        if recentEnds.count > Self.window { recentEnds.removeFirst() }
        let (met, count) = recentEnds.reduce((0, 0)) { ($0.0 + $1.met, $0.1 + $1.count) }
        if count > 0 { result.attainment = Double(met) / Double(count) }
        result.workersPerWork = workersPerWork
        if result.arrivedQueries > 0 {
            let mean = result.offeredWork / Double(result.arrivedQueries)
            meanWork = meanWork > 0 ? meanWork + Self.workWeight * (mean - meanWork) : mean
        }
        result.ratePerWorker = meanWork > 0 ? 1 / (meanWork * result.workersPerWork) : nil
        (observation, firstTokens, runningSeconds, ends) = (FleetObservation(), (0, 0), 0, (0, 0))
        return result
    }

    /// Where workers differ the one that joined first stands for all.
    private mutating func noteLevels(of view: ClusterView, _ result: inout FleetObservation) {
        let all = view.workers.filter { $0.profile.model == model && $0.joined.role == role }
        let active = all.filter { !$0.isDraining }
        result.activeWorkers = active.count
        result.drainingWorkers = all.count - active.count
        result.runningQueries = all.reduce(0) { $0 + $1.residents.count }
        if let first = active.first {
            let profile = first.estimator.profile
            capacity = MeanFieldCapacity(
                profile: profile.phase(role),
                averageTokenTime: .seconds(rounding: tokenTime)
            )
            let use = active.reduce(0) { $0 + Double($1.usedKVTokens) / Double($1.profile.kvCache.capacityTokens) }
            result.kvUse = use / Double(active.count)
            result.meanBatch = Double(active.reduce(0) { $0 + $1.residents.count }) / Double(active.count)
        }
        for entry in Array(view.unplaced) + Array(view.deferred)
        where entry.hasStarted == (role == .decode) && view.queries[entry.number]?.queued.model == model {
            noteWaiting(role == .decode ? entry.contextTokens : entry.prefillTokens, view.lengths, &result)
        }
        for entry in all.lazy.flatMap(\.waiting) where entry.deadline != .distantFuture {
            noteWaiting(entry.prefillTokens, view.lengths, &result)
        }
    }

    private func noteWaiting(_ inputTokens: Int, _ lengths: LengthHistory, _ result: inout FleetObservation) {
        result.waitingQueries += 1
        result.waitingWork += work(inputTokens: inputTokens, "", lengths)
    }

    private func work(inputTokens: Int, _ tenant: String, _ lengths: LengthHistory) -> Double {
        let survival = lengths.survival(model: model, inputTokens: inputTokens, tenant: tenant)
        let work = capacity.work.expectedSeconds(inputTokens: inputTokens, survival: survival)
        // A prompt that is computed alone bears the constant of its step.
        return role == .prefill ? work + capacity.profile.prefill.c1Milliseconds / 1000 : work
    }
}

extension LatencyProfile {
    /// The same worker as one for which the other phase costs nothing.
    fileprivate func phase(_ role: WorkerRole) -> LatencyProfile {
        var profile = self
        switch role {
        case .both: break
        case .prefill:
            profile.decode.k2Milliseconds = 0
            profile.decode.c2Milliseconds = 0
        case .decode: profile.prefill = Prefill()
        }
        return profile
    }
}
