import AccessControl
import Logging
import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

/// An endpoint with a loop of its own that notes what reaches it.
actor ServedEndpoint {
    enum Event: Hashable {
        case call(session: UInt64, stream: UInt64, body: [UInt8])
        case item(session: UInt64, stream: UInt64, body: [UInt8])
        /// A call that came as a value.
        case request(session: UInt64, stream: UInt64, GenerateRequest)
        case cancel(session: UInt64, stream: UInt64)
        case ended(session: UInt64)
    }

    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let events: AsyncStream<Event>
    private let sink: AsyncStream<Event>.Continuation
    private let configuration: SessionConfiguration
    private let security: EndpointSecurity?
    private var endpoint: SessionEndpoint?
    private var nextSession: UInt64
    private var answers: [[UInt8]]?

    init(
        firstSession: UInt64 = 1,
        security: EndpointSecurity? = nil,
        thread: LoopThread? = nil,
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) {
        var configuration = SessionConfiguration()
        configuration.heartbeatInterval = .milliseconds(20)
        configuration.sessionTimeout = .seconds(10)
        configure(&configuration)
        self.configuration = configuration
        self.security = security
        nextSession = firstSession
        loop = PollLoop(name: "endpoint", on: thread)
        (events, sink) = AsyncStream.makeStream()
        loop.start()
    }

    /// Of the loopback network's sixteen million one that nobody else takes, so that another can come to it later.
    static func ownAddress() -> String {
        let host = (0..<3).map { _ in "\(UInt8.random(in: 1...254))" }.joined(separator: ".")
        return "tcp://127.\(host):*"
    }

    /// Binds and serves; returns the address.
    func open(_ address: String = "tcp://127.0.0.1:*") throws -> String {
        let endpoint = try SessionEndpoint(
            address: address,
            methods: [.generate],
            brokerName: "test",
            configuration: configuration,
            security: security,
            makeSessionNumber: { [unowned self] in assumeIsolated { $0.makeNumber() } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        self.endpoint = endpoint
        endpoint.watch(on: loop) { [self] input in assumeIsolated { $0.note(input) } }
        loop.onCycle = { [self] now in assumeIsolated { $0.cycle(at: now) } }
        return endpoint.address
    }

    /// Listens for peers of its thread, too.
    func openInside(_ address: String) throws -> String {
        guard let endpoint else { throw Status(.failedPrecondition, .none, "not open") }
        return try endpoint.bindInside(address)
    }

    func send(_ event: GenerateEvent, stream: UInt64, to session: UInt64) {
        endpoint?.send(.item, method: .generate, stream: stream, to: session, event)
    }

    /// Each in a round of its own, before their reader has its turn.
    func sendApart(_ events: [GenerateEvent], to session: UInt64) {
        for (index, event) in events.enumerated() {
            send(event, stream: UInt64(index + 1), to: session)
            endpoint?.flushBundles()
        }
    }

    func end(stream: UInt64, of session: UInt64, _ status: Status) {
        endpoint?.send(.end, method: .generate, stream: stream, to: session, status)
    }

    func send(_ body: [UInt8], stream: UInt64, to session: UInt64) {
        endpoint?.send(.item, method: .generate, stream: stream, to: session, body: body)
    }

    /// All of them in one round, on streams 1, 2, and so on.
    func sendTogether(_ bodies: [[UInt8]], to session: UInt64) {
        for (index, body) in bodies.enumerated() { send(body, stream: UInt64(index + 1), to: session) }
    }

    /// From now on each call is answered with these, all in one round, and then with a goodbye.
    func answerCalls(with bodies: [[UInt8]]) {
        answers = bodies
    }

    func hasRoom(_ session: UInt64) -> Bool { endpoint?.hasRoom(session) ?? false }

    func sessionCount() -> Int { endpoint?.sessionCount ?? 0 }

    func malformedFrames() -> UInt64 { endpoint?.malformedFrames ?? 0 }

    func principal(of session: UInt64) -> Principal? { endpoint?.principal(of: session) }

    func name(of session: UInt64) -> String { endpoint?.name(of: session) ?? "" }

    func sayGoodbye() {
        endpoint?.close(Status(.unavailable, .shuttingDown, "the test ends it"))
        endpoint = nil
    }

    /// Vanishes without a word.
    func stop() async {
        await loop.stop()
        sink.finish()
    }

    private func makeNumber() -> UInt64 {
        defer { nextSession += 1 }
        return nextSession
    }

    private func note(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(let session, let stream, _, .message(let message as GenerateRequest)):
            sink.yield(.request(session: session, stream: stream, message))
        case .call(let session, let stream, _, let body):
            sink.yield(.call(session: session, stream: stream, body: body.bytes))
            guard let answers else { return }
            sendTogether(answers, to: session)
            endpoint?.dismiss(session, .ok)
        case .item(let session, let stream, _, let body):
            sink.yield(.item(session: session, stream: stream, body: body.bytes))
        case .cancel(let session, let stream): sink.yield(.cancel(session: session, stream: stream))
        case .ended(let session): sink.yield(.ended(session: session))
        }
    }

    private func cycle(at now: Instant) -> Instant {
        endpoint?.cycle(at: now) { note($0) } ?? .distantFuture
    }
}
