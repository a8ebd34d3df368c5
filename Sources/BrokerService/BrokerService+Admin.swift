internal import Brokering
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

extension BrokerService {
    func adminSent(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(let session, let stream, let method, let body):
            adminCalled(StreamKey(session: SessionID(rawValue: session), stream: stream), method, body)
        case .cancel(let session, let stream):
            giveUp(StreamKey(session: SessionID(rawValue: session), stream: stream), over: admin)
        case .item:
            break
        case .ended(let session):
            clientEnded(SessionID(rawValue: session))
        }
    }

    private func adminCalled(_ stream: StreamKey, _ method: Method, _ body: FrameBody) {
        do throws(Status) {
            switch method {
            case .getStatus:
                let request = try decoded(GetStatusRequest.self, body)
                var status = status(at: PollLoop.now())
                if request.wantsMetrics { status.metrics = metrics(for: account(of: stream.session, on: admin)) }
                answer(stream, method, body: status.encode(), over: admin)
            case .explain: try explain(stream, body, at: PollLoop.now())
            default: throw Status(.unimplemented, .unsupported, "no such method here")
            }
        } catch {
            end(stream, method, error, over: admin)
        }
    }

    private func explain(_ stream: StreamKey, _ body: FrameBody, at now: Instant) throws(Status) {
        let request = try decoded(ExplainRequest.self, body)
        guard let id = QueryID(request.queryID) else {
            throw Status(
                .invalidArgument,
                .malformed,
                "query_id is not a query's identifier, which has 8-4-4-4-12 hexadecimal digits"
            )
        }
        let account = account(of: stream.session, on: admin)
        if let explanation = try broker.explain(id, as: account, for: stream, at: now) {
            answer(stream, .explain, body: explanation.encode(), over: admin)
        } else {
            methods[stream] = .explain
        }
    }

    /// The cluster at this moment.
    func status(at now: Instant) -> ClusterStatus {
        var status = ClusterStatus()
        status.broker = instance
        status.version = Version.current
        status.uptime = now - started
        status.policy = policy
        status.decisions = insight?.decisions ?? 0
        status.decisionP50Microseconds = insight?.decisionP50Microseconds ?? 0
        status.decisionP99Microseconds = insight?.decisionP99Microseconds ?? 0
        status.workers = broker.workerOrder.compactMap { workerStatus($0, at: now) }
        status.models = broker.modelOrder.compactMap { modelStatus($0) }
        status.frontendSessions = frontend?.sessionCount ?? 0
        status.predictions = broker.predictions
        status.fleets = fleets
        status.objective = broker.configuration.objective
        return status
    }

    /// As it has been learnt, else as it was registered.
    func profile(of worker: WorkerRecord) -> LatencyProfile {
        guard var learnt = insights[worker.joined.worker]?.profile else { return worker.joined.profile }
        // Insights travel without the name.
        learnt.model = worker.joined.profile.model
        return learnt
    }

    private func workerStatus(_ id: WorkerID, at now: Instant) -> WorkerStatus? {
        guard let record = broker.worker(id) else { return nil }
        let learnt = insights[id]
        var status = WorkerStatus(
            worker: id,
            name: record.joined.name,
            engine: record.joined.engine,
            profile: profile(of: record)
        )
        status.isDraining = record.isDraining
        status.role = record.joined.role
        status.queued = record.queued
        status.waiting = record.waiting
        status.running = max(record.leased - record.waiting, 0)
        status.freeKVTokens = record.freeKVTokens
        status.queriesCompleted = record.queriesCompleted
        status.outputTokens = record.outputTokens
        status.stepError = learnt?.stepError ?? 0
        status.stepBias = learnt?.stepBias ?? 0
        status.steps = learnt?.steps ?? 0
        status.lastStepAge = record.quietTime(at: now)
        status.predictions = record.predictions
        return status
    }

    private func modelStatus(_ name: String) -> ModelStatus? {
        guard let model = broker.model(name) else { return nil }
        var status = ModelStatus(model: name)
        status.workers = model.workers
        status.queued = model.queued
        status.running = model.running
        status.completed = model.completed
        status.failed = model.failed
        status.cancelled = model.cancelled
        status.refused = model.refused
        status.retried = model.retried
        status.outputTokens = model.outputTokens
        status.wastedTokens = model.wastedTokens
        status.handovers = model.figures.handovers
        status.failedHandovers = model.figures.failedHandovers
        status.handoverBytes = model.figures.handoverBytes
        status.predictions = model.predictions
        let outcomes = model.recent.outcomes
        guard !outcomes.isEmpty else { return status }
        status.attainment = Double(outcomes.count { $0.metObjective }) / Double(outcomes.count)
        status.timeToFirstToken = LatencySummary(outcomes.compactMap(\.timeToFirstToken))
        status.averageTokenTime = LatencySummary(outcomes.compactMap(\.averageTokenTime))
        return status
    }
}

extension LatencySummary {
    /// Quantiles by the nearest rank.
    init(_ intervals: [Interval]) {
        self.init()
        guard !intervals.isEmpty else { return }
        let sorted = intervals.map(\.milliseconds).sorted()
        func quantile(_ share: Double) -> Double {
            sorted[min(Int((share * Double(sorted.count)).rounded(.up)) - 1, sorted.count - 1)]
        }
        p50Milliseconds = quantile(0.5)
        p90Milliseconds = quantile(0.9)
        p99Milliseconds = quantile(0.99)
        count = UInt64(sorted.count)
    }
}
