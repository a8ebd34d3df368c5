import Logging
import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

/// A broker's worker endpoint that does what a test says and notes what the worker says.
actor ScriptedBroker {
    nonisolated let loop = PollLoop(name: "broker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let reports: AsyncStream<WorkerReport>
    private let sink: AsyncStream<WorkerReport>.Continuation
    private var endpoint: SessionEndpoint?
    private var session: UInt64 = 0

    init() {
        (reports, sink) = AsyncStream.makeStream()
        loop.start()
    }

    func open() throws -> String {
        let endpoint = try SessionEndpoint(
            address: "tcp://127.0.0.1:*",
            methods: [.work],
            brokerName: "scripted",
            configuration: SessionConfiguration(),
            makeSessionNumber: { [unowned self] in assumeIsolated { $0.makeNumber() } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        self.endpoint = endpoint
        endpoint.watch(on: loop) { [self] input in assumeIsolated { $0.note(input) } }
        loop.onCycle = { [self] now in assumeIsolated { $0.endpoint?.cycle(at: now) { _ in } ?? .distantFuture } }
        return endpoint.address
    }

    func command(_ command: WorkerCommand) {
        endpoint?.send(.item, method: .work, stream: 1, to: session, command)
    }

    /// Ends the worker's session; it will start another.
    func dismiss() {
        endpoint?.dismiss(session, Status(.unavailable, .superseded, "test"))
    }

    func stop() async {
        await loop.stop()
        sink.finish()
    }

    private func makeNumber() -> UInt64 {
        session += 1
        return session
    }

    private func note(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(_, _, _, let body), .item(_, _, _, let body):
            guard let report = try? body.decoded(as: WorkerReport.self) else {
                Issue.record("a report that cannot be read")
                return
            }
            sink.yield(report)
        case .cancel, .ended:
            break
        }
    }
}
