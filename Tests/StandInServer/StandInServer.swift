internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// An inference server with OpenAI's interface that does what a test says: answers by the letter, or with any fault.
///
/// It is strict about what it is asked, so that a test of a client finds what a lenient server would let through.
package final class StandInServer: Sendable {
    package typealias Script = @Sendable (StandInRequest, StandInAnswer) async throws -> Void

    private struct State {
        var script: Script
        var requests: [StandInRequest] = []
        var channels: [ObjectIdentifier: any Channel] = [:]
        var abandoned = 0
        var lastWaiter = 0
        var waiters: [Int: Waiter] = [:]
    }

    private struct Waiter {
        var isDone: @Sendable ([StandInRequest], Int) -> Bool
        var resume: CheckedContinuation<Void, any Error>
    }

    package let model: StandInModel
    private let address: SocketAddress
    private let listener: any Channel
    private let state: Mutex<State>

    package var url: String { "http://\(address.ipAddress ?? ""):\(address.port ?? 0)" }

    /// Completions that were asked for.
    package var completions: [StandInRequest] { state.withLock { $0.requests.filter(\.isCompletion) } }

    /// Answers whose reader closed the connection before their end.
    package var abandoned: Int { state.withLock { $0.abandoned } }

    private init(
        _ model: StandInModel,
        _ listener: any Channel,
        at address: SocketAddress,
        _ box: HandlerBox,
        _ script: @escaping Script
    ) {
        self.model = model
        self.listener = listener
        self.address = address
        state = Mutex(State(script: script))
        box.server.withLock { $0 = self }
    }

    /// Listens and serves until `stop()`.
    ///
    /// - Parameters:
    ///   - former: the server whose place it takes, after that one's end.
    ///   - script: what becomes of each completion; the default answers it well.
    package static func start(
        _ model: StandInModel = StandInModel(),
        inPlaceOf former: StandInServer? = nil,
        script: @escaping Script = { try await $1.complete($0) }
    ) async throws -> StandInServer {
        let box = HandlerBox()
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(StandInHandler(box))
                }
            }
        let address = try former?.address ?? ownAddress()
        let listener = try await bootstrap.bind(to: address).get()
        return StandInServer(model, listener, at: address, box, script)
    }

    /// Of the loopback network's sixteen million one that nobody else takes, so that a server can come back to it.
    private static func ownAddress() throws -> SocketAddress {
        let host = (0..<3).map { _ in "\(UInt8.random(in: 1...254))" }.joined(separator: ".")
        return try SocketAddress(ipAddress: "127.\(host)", port: .random(in: 20_000..<32_000))
    }

    /// Changes what becomes of completions from now on.
    package func react(_ script: @escaping Script) {
        state.withLock { $0.script = script }
    }

    /// Dies: nothing listens any more, and every answer breaks off; again does nothing.
    package func stop() async {
        try? await listener.close().get()
        let channels = state.withLock { Array($0.channels.values) }
        for channel in channels { try? await channel.close().get() }
    }

    /// Returns when this holds of the completions asked for and the number of those abandoned.
    ///
    /// - Throws: `CancellationError` if the task is cancelled first, as one is whose time is up.
    package func wait(until isDone: @escaping @Sendable ([StandInRequest], Int) -> Bool) async throws {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known: Result<Void, any Error>? = state.withLock { state in
                    if isDone(state.requests.filter(\.isCompletion), state.abandoned) { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[number] = Waiter(isDone: isDone, resume: continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume.resume(throwing: CancellationError())
        }
    }

    func opened(_ channel: any Channel) {
        state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
    }

    func closed(_ channel: any Channel, inAnswer: Bool) {
        change { state in
            state.channels[ObjectIdentifier(channel)] = nil
            if inAnswer { state.abandoned += 1 }
        }
    }

    func serve(_ request: StandInRequest, _ answer: StandInAnswer) async throws {
        let script = change { state in
            state.requests.append(request)
            return state.script
        }
        if request.isCompletion {
            if let refusal = model.refusal(of: request) { return try await answer.refuse(refusal) }
            try await script(request, answer)
        } else {
            try await model.tell(request, answer)
        }
    }

    private func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, ready) = state.withLock { state in
            let result = body(&state)
            let completions = state.requests.filter(\.isCompletion)
            let ready = state.waiters.filter { $0.value.isDone(completions, state.abandoned) }
            for number in ready.keys { state.waiters[number] = nil }
            return (result, ready)
        }
        for waiter in ready.values { waiter.resume.resume() }
        return result
    }
}

/// A request as it came.
package struct StandInRequest: Sendable {
    package var method: String
    package var path: String
    package var authorization: String?
    package var traceparent: String?
    package var tracestate: String?
    package var body: [UInt8]

    package var isCompletion: Bool { path.hasSuffix("/v1/completions") || path.hasSuffix("/v1/chat/completions") }
    package var isChat: Bool { path.hasSuffix("/v1/chat/completions") }

    package var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }
}
