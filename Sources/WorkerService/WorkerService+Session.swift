internal import EngineInterface
internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

/// The worker's session: what it says to the broker, and what the broker says to it.
extension WorkerService {
    func connect() throws(ZeroMQError) {
        let connection = PeerConnection(
            address: configuration.brokerEndpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: configuration.name),
            keys: configuration.keys,
            logger: logger
        )
        self.connection = connection
        try connection.start(on: loop) { [unowned self] event in assumeIsolated { $0.brokerSent(event) } }
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
    }

    private func brokerSent(_ event: PeerConnection.Event) {
        switch event {
        case .opened:
            // An engine that still computes for the last session, or hangs, takes nothing new.
            if machine?.isBusy == true { registersLater = true } else { register() }
        case .lost(let status):
            if isRegistered { logger.warning("session lost", metadata: ["why": "\(status.message)"]) }
            isRegistered = false
            registersLater = false
            machine?.reset()
            streams?.reset()
            wakeEngine()
        case .frame(let header, let body) where header.kind == .item:
            obey(body)
        case .frame(_, let body):
            let status = (try? body.decoded(as: Status.self)) ?? Status(.unknown)
            logger.error("the broker ended the work stream", metadata: ["why": "\(status.message)"])
            // What is wrong with a registration will be wrong with the next one.
            if status.code == .invalidArgument, !isRegistered {
                refusal = status
                refused?.resume()
                refused = nil
            } else {
                connection?.restart(status)
            }
        }
    }

    func register() {
        guard isReady, let description = machine?.description ?? streams?.description else { return }
        registersLater = false
        var profile = description.profile
        profile.model = description.model
        var registration = WorkerRegistration(
            name: configuration.name,
            engine: description.kind,
            contextLength: description.contextLength,
            resumesPrefix: description.resumesPrefix,
            keepsPrefixes: description.keepsPrefixes,
            batching: configuration.batching,
            profile: profile
        )
        registration.role = configuration.role
        registration.kvExchange = exchangeName
        connection?.send(.call, method: .work, stream: 1, WorkerReport.registration(registration))
    }

    private func obey(_ body: FrameBody) {
        guard let command = try? body.decoded(as: WorkerCommand.self) else {
            logger.error("the broker sent a command that cannot be read")
            return
        }
        switch command {
        case .registered:
            isRegistered = true
            report(computed: nil)
        case .batch(let assignments):
            for assignment in assignments { take(assignment) }
            wakeEngine()
        case .cancel(let leases):
            machine?.cancel(leases)
            streams?.cancel(leases)
            report(computed: nil)
            wakeEngine()
        case .drain:
            machine?.drain()
            streams?.drain()
        }
    }

    private func take(_ assignment: WireAssignment) {
        do throws(Status) {
            let query = try WorkerQuery(assignment)
            // On its way when the engine went.
            guard isReady else { throw Status(.unavailable, .engineFailed, "the worker's engine is gone") }
            machine?.take(query)
            streams?.take(query)
        } catch {
            machine?.refuse(assignment.lease, error)
            streams?.refuse(assignment.lease, error)
            report(computed: nil)
        }
    }

    func report(computed: (workload: StepWorkload, duration: Interval)?) {
        guard isRegistered else { return }
        let reports = machine?.takeReports(computed: computed) ?? streams?.takeReports(at: PollLoop.now()) ?? []
        for report in reports { connection?.send(.item, method: .work, stream: 1, report) }
    }
}
