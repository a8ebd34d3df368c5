internal import Brokering
internal import Journal
internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

extension BrokerService {
    func workerSent(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(let session, let stream, _, let body):
            register(StreamKey(session: SessionID(rawValue: session), stream: stream), body)
        case .item(let session, let stream, _, let body):
            guard workStreams[session] == stream else { return }
            report(WorkerID(rawValue: session), body)
        case .cancel(let session, _):
            worker?.dismiss(session, Status(.cancelled, .none, "the worker gave its stream up"))
        case .ended(let session):
            guard workStreams.removeValue(forKey: session) != nil else { return }
            let id = WorkerID(rawValue: session)
            if let record = broker.worker(id) {
                logger.info(
                    "worker left",
                    metadata: ["worker": "\(record.joined.name)", "running": "\(record.leased)"]
                )
            }
            insights[id] = nil
            broker.workerLost(id, at: PollLoop.now())
        }
    }

    private func register(_ key: StreamKey, _ body: FrameBody) {
        let session = key.session.rawValue
        do throws(Status) {
            guard workStreams[session] == nil else {
                throw Status(.failedPrecondition, .protocolViolation, "this worker is registered already")
            }
            guard case .registration(let registration) = try decoded(WorkerReport.self, body) else {
                throw Status(.failedPrecondition, .protocolViolation, "a worker's first report is its registration")
            }
            let problems = registration.profile.problems()
            guard problems.isEmpty, !registration.profile.model.isEmpty, registration.contextLength > 0 else {
                throw Status(
                    .invalidArgument,
                    .malformed,
                    "registration: model and context_length are needed, and a valid profile \(problems.map(\.description))"
                )
            }
            try broker.configuration.shard?.check(model: registration.profile.model)
            workStreams[session] = key.stream
            join(WorkerID(rawValue: session), registration)
        } catch {
            end(key, .work, error, over: worker)
        }
    }

    private func join(_ id: WorkerID, _ registration: WorkerRegistration) {
        var joined = WorkerJoined(
            worker: id,
            name: registration.name.isEmpty ? "worker-\(id.rawValue)" : registration.name,
            engine: registration.engine,
            contextLength: registration.contextLength,
            resumesPrefix: registration.resumesPrefix,
            keepsPrefixes: registration.keepsPrefixes,
            batching: registration.batching,
            profile: registration.profile
        )
        joined.role = registration.role
        joined.kvExchange = registration.kvExchange
        command(id, .registered(worker: id))
        broker.workerJoined(joined, at: PollLoop.now())
        journal?.note(workers: [joined.name: joined.profile])
        logger.info(
            "worker joined",
            metadata: [
                "worker": "\(joined.name)", "model": "\(joined.profile.model)", "engine": "\(joined.engine)",
            ]
        )
    }

    private func report(_ id: WorkerID, _ body: FrameBody) {
        let now = PollLoop.now()
        if case .bytes(let bytes) = body, let step = StepReader(bytes) {
            broker.workerStepped(id, WorkerStep(step), at: now)
            return
        }
        do throws(Status) {
            switch try decoded(WorkerReport.self, body) {
            case .registration:
                throw Status(.failedPrecondition, .protocolViolation, "this worker is registered already")
            case .pull(let granted):
                broker.workerPulled(id, granted: granted)
            case .step(let step):
                broker.workerStepped(id, WorkerStep(step), at: now)
            case .drain:
                broker.workerDrains(id, at: now)
            }
        } catch {
            logger.warning("worker breaks the protocol", metadata: ["error": "\(error.message)"])
            worker?.dismiss(id.rawValue, error)
        }
    }
}
