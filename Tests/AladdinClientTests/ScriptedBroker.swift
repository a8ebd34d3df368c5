internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

/// A broker's frontend that does what a test says.
actor ScriptedBroker {
    /// What a client sent.
    enum Heard: Hashable {
        case generate(key: String, stream: UInt64)
        case attach(id: String, stream: UInt64)
        case cancelQuery(id: String)
        case cancel(stream: UInt64)
        case other
    }

    private nonisolated let loop = PollLoop(name: "broker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let heard: AsyncStream<Heard>
    private let sink: AsyncStream<Heard>.Continuation
    private let address: String
    private var endpoint: SessionEndpoint?
    private var nextSession: UInt64
    /// Whoever called last; a client that says hello again before it is answered has several.
    private var session: UInt64

    /// - Parameter session: the number of the first session.
    init(_ address: String, session: UInt64) {
        self.address = address
        self.session = session
        nextSession = session
        (heard, sink) = AsyncStream.makeStream()
        loop.start()
    }

    func open() throws {
        let endpoint = try SessionEndpoint(
            address: address,
            methods: [.generate, .attach, .cancelQuery],
            brokerName: "test",
            configuration: SessionConfiguration(),
            makeSessionNumber: { [unowned self] in assumeIsolated { $0.makeNumber() } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        self.endpoint = endpoint
        endpoint.watch(on: loop) { [self] input in assumeIsolated { $0.note(input) } }
        loop.onCycle = { [self] now in
            assumeIsolated { broker in
                defer { broker.endpoint?.flushBundles() }
                return broker.endpoint?.cycle(at: now) { broker.note($0) } ?? .distantFuture
            }
        }
    }

    func accept(_ id: String, on stream: UInt64) {
        let accepted = AcceptedEvent(queryID: id, durability: .accept, isDuplicate: false)
        endpoint?.send(.item, method: .generate, stream: stream, to: session, GenerateEvent.accepted(accepted))
    }

    func end(_ stream: UInt64, of method: Messages.Method, _ status: Status) {
        endpoint?.send(.end, method: method, stream: stream, to: session, status)
    }

    /// Says goodbye and is gone.
    func stop() async {
        endpoint?.close(Status(.unavailable, .shuttingDown, "the test ends it"))
        endpoint = nil
        await loop.stop()
        sink.finish()
    }

    private func makeNumber() -> UInt64 {
        defer { nextSession += 1 }
        return nextSession
    }

    private func note(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(let session, let stream, .generate, let body):
            self.session = session
            let request = try? body.decoded(as: GenerateRequest.self)
            let key = request?.metadata.first { $0.key == "idempotency-key" }?.value
            sink.yield(.generate(key: key ?? "", stream: stream))
        case .call(let session, let stream, .attach, let body):
            self.session = session
            sink.yield(.attach(id: (try? body.decoded(as: AttachRequest.self))?.queryID ?? "", stream: stream))
        case .call(let session, _, .cancelQuery, let body):
            self.session = session
            sink.yield(.cancelQuery(id: (try? body.decoded(as: CancelRequest.self))?.queryID ?? ""))
        case .cancel(_, let stream): sink.yield(.cancel(stream: stream))
        case .ended: break
        default: sink.yield(.other)
        }
    }
}
