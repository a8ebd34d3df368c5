import Logging
import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

/// A peer connection with a loop of its own that notes what it hears.
actor ConnectedPeer {
    enum Event: Hashable {
        case opened(session: UInt64)
        case item(stream: UInt64, body: [UInt8])
        /// An item that came as a value.
        case event(stream: UInt64, GenerateEvent)
        case end(stream: UInt64, Status?)
        case lost(Reason)
    }

    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let events: AsyncStream<Event>
    private let sink: AsyncStream<Event>.Continuation
    private var connection: PeerConnection?

    init(thread: LoopThread? = nil) {
        loop = PollLoop(name: "peer", on: thread)
        (events, sink) = AsyncStream.makeStream()
        loop.start()
    }

    func connect(to address: String, keys: PeerKeys? = nil) throws {
        let connection = PeerConnection(
            address: address,
            hello: Hello(software: "test", name: "peer"),
            keys: keys,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        self.connection = connection
        try connection.start(on: loop) { [self] event in assumeIsolated { $0.note(event) } }
        loop.onCycle = { [self] now in assumeIsolated { $0.connection?.cycle(at: now) ?? .distantFuture } }
    }

    func send(_ kind: FrameKind, method: Method = .generate, stream: UInt64, body: [UInt8] = []) -> Bool {
        connection?.send(kind, method: method, stream: stream, body: body) ?? false
    }

    func call(_ request: GenerateRequest, stream: UInt64) -> Bool {
        connection?.send(.call, method: .generate, stream: stream, request) ?? false
    }

    /// All of them before their reader has its turn.
    func call(_ requests: [GenerateRequest]) {
        for (index, request) in requests.enumerated() { #expect(call(request, stream: UInt64(index + 1))) }
    }

    func close() { connection?.close() }

    func stop() async {
        await loop.stop()
        sink.finish()
    }

    private func note(_ event: PeerConnection.Event) {
        switch event {
        case .opened(let welcome): sink.yield(.opened(session: welcome.session))
        case .frame(let header, .message(let event as GenerateEvent)):
            sink.yield(.event(stream: header.stream, event))
        case .frame(let header, let body) where header.kind == .item:
            sink.yield(.item(stream: header.stream, body: body.bytes))
        case .frame(let header, let body):
            sink.yield(.end(stream: header.stream, try? body.decoded(as: Status.self)))
        case .lost(let status): sink.yield(.lost(status.reason))
        }
    }
}
