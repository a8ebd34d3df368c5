package import Logging
package import Messages
package import ServingModel
internal import Sessions
internal import ZeroMQ

/// One question to the broker's admin endpoint.
package actor AdminClient {
    private nonisolated let loop = PollLoop(name: "admin")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private typealias Waiter = CheckedContinuation<Result<ClusterStatus, Status>, Never>

    private let connection: PeerConnection
    private let endpoint: String
    private var waiter: Waiter?
    private static let stream: UInt64 = 1
    private var giveUp = Instant.distantFuture

    package init(endpoint: String, logger: Logger) {
        self.endpoint = endpoint
        connection = PeerConnection(
            address: endpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: "admin"),
            logger: logger
        )
    }

    /// Connects, asks for the cluster's status and disconnects.
    ///
    /// - Throws: a `Status`; `.unavailable` if nobody answers within `patience`.
    package nonisolated func status(patience: Interval = .seconds(3)) async throws(Status) -> ClusterStatus {
        loop.start()
        return try await ask(patience)
    }

    private func ask(_ patience: Interval) async throws(Status) -> ClusterStatus {
        giveUp = PollLoop.now() + patience
        do throws(ZeroMQError) {
            try connect()
        } catch {
            await loop.stop()
            throw Status(.invalidArgument, .none, error.description)
        }
        let result = await withCheckedContinuation { self.waiter = $0 }
        connection.close()
        await loop.stop()
        return try result.get()
    }

    private func connect() throws(ZeroMQError) {
        let connection = self.connection
        try connection.start(on: loop) { [unowned self] event in assumeIsolated { $0.brokerSent(event) } }
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
    }

    private func brokerSent(_ event: PeerConnection.Event) {
        switch event {
        case .opened:
            connection.send(.call, method: .getStatus, stream: Self.stream)
        case .lost(let status):
            answer(.failure(status))
        case .frame(let header, let body) where header.kind == .item:
            answer(
                (try? ClusterStatus.decode(body)).map { .success($0) }
                    ?? .failure(Status(.internalError, .malformed, "the broker's answer is unreadable"))
            )
        case .frame(_, let body):
            answer(.failure((try? Status.decode(body)) ?? Status(.unknown)))
        }
    }

    private func answer(_ result: Result<ClusterStatus, Status>) {
        waiter?.resume(returning: result)
        waiter = nil
    }

    private func cycle(at now: Instant) -> Instant {
        if now >= giveUp {
            giveUp = .distantFuture
            answer(.failure(Status(.unavailable, .none, "no broker answers at \(endpoint)")))
        }
        return min(connection.cycle(at: now), giveUp)
    }
}
