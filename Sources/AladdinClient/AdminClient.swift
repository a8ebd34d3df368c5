package import Logging
package import Messages
package import ServingModel
internal import Sessions
internal import ZeroMQ

/// One question to the broker's admin endpoint.
package actor AdminClient {
    private nonisolated let loop = PollLoop(name: "admin")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private typealias Waiter = CheckedContinuation<Result<[UInt8], Status>, Never>

    private let connection: PeerConnection
    private let endpoint: String
    private var method = Method.getStatus
    private var request: [UInt8] = []
    private var waiter: Waiter?
    private static let stream: UInt64 = 1
    private var giveUp = Instant.distantFuture

    package init(endpoint: String, key: ClientKey? = nil, logger: Logger) {
        self.endpoint = endpoint
        connection = PeerConnection(
            address: endpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: "admin"),
            keys: key?.keys,
            logger: logger
        )
    }

    /// Connects, asks for the cluster's status and disconnects.
    ///
    /// - Parameter wantsMetrics: whether the answer is to carry metrics, too.
    /// - Throws: a `Status`; `.unavailable` if nobody answers within `patience`.
    package nonisolated func status(
        wantsMetrics: Bool = false,
        patience: Interval = .seconds(3)
    ) async throws(Status) -> ClusterStatus {
        let request = GetStatusRequest(wantsMetrics: wantsMetrics)
        return try Self.decoded(ClusterStatus.self, await ask(.getStatus, request.encode(), patience))
    }

    /// Connects, asks why a query was placed where it was and what then happened, and disconnects.
    ///
    /// - Throws: a `Status`; `.notFound` if the broker does not know the query, or no longer.
    package nonisolated func explain(
        _ query: QueryID,
        patience: Interval = .seconds(3)
    ) async throws(Status) -> QueryExplanation {
        let request = ExplainRequest(queryID: query.description)
        return try Self.decoded(QueryExplanation.self, await ask(.explain, request.encode(), patience))
    }

    private static func decoded<Message: WireMessage>(
        _ type: Message.Type,
        _ body: [UInt8]
    ) throws(Status) -> Message {
        do throws(DecodingFailure) {
            return try Message.decode(body)
        } catch {
            throw Status(.internalError, .malformed, "the broker's answer is unreadable")
        }
    }

    private nonisolated func ask(
        _ method: Method,
        _ request: [UInt8],
        _ patience: Interval
    ) async throws(Status) -> [UInt8] {
        loop.start()
        return try await call(method, request, patience)
    }

    private func call(_ method: Method, _ request: [UInt8], _ patience: Interval) async throws(Status) -> [UInt8] {
        self.method = method
        self.request = request
        giveUp = PollLoop.now() + patience
        // The waiter is there before the answer can be: between the two nothing may come in.
        let result = await withCheckedContinuation { (waiter: Waiter) in
            do throws(ZeroMQError) {
                self.waiter = waiter
                try connect()
            } catch {
                self.waiter = nil
                waiter.resume(returning: .failure(Status(.invalidArgument, .none, error.description)))
            }
        }
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
            connection.send(.call, method: method, stream: Self.stream, body: request)
        case .lost(let status):
            answer(.failure(status))
        case .frame(let header, let body) where header.kind == .item:
            answer(.success(body.bytes))
        case .frame(_, let body):
            answer(.failure((try? body.decoded(as: Status.self)) ?? Status(.unknown)))
        }
    }

    private func answer(_ result: Result<[UInt8], Status>) {
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
