internal import Brokering
internal import Journal
internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

extension BrokerService {
    func schedulerSent(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(let session, let stream, _, let body):
            attach(StreamKey(session: SessionID(rawValue: session), stream: stream), body)
        case .item(let session, let stream, _, let body):
            guard scheduling == StreamKey(session: SessionID(rawValue: session), stream: stream) else { return }
            decide(body)
        case .cancel(let session, _), .ended(let session):
            standbys.removeAll { $0.stream.session.rawValue == session }
            guard scheduling?.session.rawValue == session else { return }
            detach()
        }
    }

    /// The newest scheduler is the one that is heard, unless it says that it stands by.
    private func attach(_ stream: StreamKey, _ body: FrameBody) {
        do throws(Status) {
            guard case .registration(let policy, let isStandby) = try decoded(SchedulerReport.self, body) else {
                throw Status(.failedPrecondition, .protocolViolation, "a scheduler's first report is its registration")
            }
            if isStandby, scheduling != nil {
                standbys.append((stream, policy))
                logger.info("scheduler stands by", metadata: ["policy": "\(policy)"])
                return
            }
            if let old = scheduling {
                end(old, .schedule, Status(.aborted, .superseded, "a newer scheduler has connected"), over: scheduler)
            }
            lead(stream, policy)
        } catch {
            end(stream, .schedule, error, over: scheduler)
        }
    }

    /// Hears this scheduler from now on, and no other: what an earlier one still sends belongs to a stream that is over.
    private func lead(_ stream: StreamKey, _ policy: String) {
        scheduling = stream
        self.policy = policy
        nextEventNumber = 1
        pendingEvents.removeAll()
        broker.schedulerAttached(policy: policy, at: PollLoop.now())
        logger.info("scheduler attached", metadata: ["policy": "\(policy)"])
    }

    private func detach() {
        scheduling = nil
        policy = ""
        insight = nil
        insights = [:]
        fleets = []
        broker.schedulerDetached(at: PollLoop.now())
        guard standbys.isEmpty else {
            logger.warning("scheduler gone; the next one takes over")
            let next = standbys.removeFirst()
            lead(next.stream, next.policy)
            return
        }
        logger.warning("scheduler gone; after a grace the broker places queries by room alone")
    }

    private func decide(_ body: FrameBody) {
        do throws(Status) {
            switch try decoded(SchedulerReport.self, body) {
            case .registration:
                throw Status(.failedPrecondition, .protocolViolation, "this scheduler is registered already")
            case .placements(let placements):
                let now = PollLoop.now()
                for placement in placements { broker.place(placement, at: now) }
            case .insight(let insight):
                self.insight = insight
                for worker in insight.workers { insights[worker.worker] = worker }
                noteLearnt()
            case .wishes(let wishes):
                fleets = wishes
            }
        } catch {
            logger.warning("scheduler breaks the protocol", metadata: ["error": "\(error.message)"])
            guard let session = scheduling?.session.rawValue else { return }
            scheduler?.dismiss(session, error)
        }
    }
    /// Once a minute, what has been learnt of the workers goes beside the journal.
    private func noteLearnt() {
        let now = PollLoop.now()
        guard let journal, now >= learntNoted + .seconds(60) else { return }
        learntNoted = now
        var workers: [String: LatencyProfile] = [:]
        for (id, insight) in insights where insight.steps > 0 {
            if let record = broker.worker(id) { workers[record.joined.name] = profile(of: record) }
        }
        journal.note(workers: workers)
    }
}
