public import Logging
internal import Messages
public import ServiceLifecycle
public import ServingModel
internal import Sessions
internal import ZeroMQ

/// A client of the broker's frontend endpoint: many queries over one session.
///
/// Call `run()` in a task of your own; it keeps a session with the broker until it is cancelled or asked to shut down.
/// Queries sent before the session stands wait for it, for `connectPatience` at most. A query whose session is lost
/// ends with `.unavailable`.
public actor AladdinClient: QueryService, Service {
    private nonisolated let loop = PollLoop(name: "client")
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// A query between `generate` and its end.
    struct OpenQuery {
        var request: QueryRequest
        var stream: UInt64?
        var deadline: Instant
        var sink: QueryStream.Continuation
    }

    typealias ModelsWaiter = CheckedContinuation<Result<[ServedModel], Status>, Never>

    let connection: PeerConnection
    let connectPatience: Interval
    var queries: [UInt64: OpenQuery] = [:]
    /// Queries that wait for a session, in order.
    var unsent: [UInt64] = []
    var queriesByStream: [UInt64: UInt64] = [:]
    var modelWaiters: [UInt64: ModelsWaiter] = [:]
    var modelLists: [UInt64: [ServedModel]] = [:]
    var nextStream: UInt64 = 1
    var nextQuery: UInt64 = 1
    /// How the client ended.
    private var closed: Status?

    /// - Parameters:
    ///   - endpoint: the broker's frontend endpoint, `tcp://HOST:PORT`.
    ///   - name: what this client calls itself in tables.
    ///   - key: for a broker that wants to know who comes.
    ///   - connectPatience: how long a query waits for a session.
    public init(
        endpoint: String = "tcp://127.0.0.1:5550",
        name: String = "client",
        key: ClientKey? = nil,
        connectPatience: Interval = .seconds(5),
        logger: Logger
    ) {
        self.connectPatience = connectPatience
        connection = PeerConnection(
            address: endpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: name),
            keys: key?.keys,
            logger: logger
        )
    }

    public var isConnected: Bool { connection.isOpen }

    /// Keeps the session until a graceful shutdown or cancellation, then ends what is open.
    ///
    /// - Throws: if the endpoint is malformed.
    public nonisolated func run() async throws {
        loop.start()
        try await serve()
    }

    private func serve() async throws {
        do {
            try connect()
        } catch {
            close(Status(.invalidArgument, .none, error.description))
            await loop.stop()
            throw error
        }
        try? await gracefulShutdown()
        close(Status(.unavailable, .shuttingDown, "the client was closed"))
        connection.close()
        await loop.stop()
    }

    /// Ends what is open, and what comes later, with the same words.
    private func close(_ status: Status) {
        closed = status
        failEverything(status)
    }

    private func connect() throws(ZeroMQError) {
        let connection = self.connection
        try connection.start(on: loop) { [unowned self] event in assumeIsolated { $0.brokerSent(event) } }
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
    }

    public nonisolated func generate(_ request: QueryRequest) -> QueryStream {
        // The buffer is bounded by the answer itself: events are as many as tokens at most.
        let (stream, sink) = QueryStream.makeStream(bufferingPolicy: .unbounded)
        // The caller gets the stream at once; opening it belongs to this actor, whose `run` ends whatever is left.
        Task { await self.open(request, sink) }
        return stream
    }

    public func models() async throws(Status) -> [ServedModel] {
        guard connection.isOpen else { throw closed ?? Self.notConnected }
        let stream = makeStream()
        connection.send(.call, method: .listModels, stream: stream)
        return try await withCheckedContinuation { (waiter: ModelsWaiter) in modelWaiters[stream] = waiter }.get()
    }

    private func open(_ request: QueryRequest, _ sink: QueryStream.Continuation) {
        if let closed {
            sink.finish(throwing: closed)
            return
        }
        let number = nextQuery
        nextQuery += 1
        queries[number] = OpenQuery(request: request, deadline: PollLoop.now() + connectPatience, sink: sink)
        sink.onTermination = { [weak self] reason in
            guard case .cancelled = reason, let self else { return }
            // The reader went away, on whatever thread; cancelling is this actor's business.
            Task { await self.cancel(number) }
        }
        if connection.isOpen { send(number) } else { unsent.append(number) }
    }

    func send(_ number: UInt64) {
        guard let query = queries[number] else { return }
        let stream = makeStream()
        let request = GenerateRequest(
            model: query.request.model,
            input: query.request.input,
            maxTokens: query.request.maxTokens,
            sampling: query.request.sampling,
            metadata: query.request.metadata.map { MetadataEntry($0.key, $0.value) }
        )
        guard connection.send(.call, method: .generate, stream: stream, body: request.encode()) else {
            end(number, Status(.resourceExhausted, .tooManyQueries, "too much waits to be sent to the broker"))
            return
        }
        queries[number]?.stream = stream
        queriesByStream[stream] = number
    }

    func cancel(_ number: UInt64) {
        guard let query = queries.removeValue(forKey: number) else { return }
        guard let stream = query.stream else { return }
        queriesByStream[stream] = nil
        connection.send(.cancel, method: .generate, stream: stream)
    }

    private func makeStream() -> UInt64 {
        defer { nextStream += 1 }
        return nextStream
    }

    static let notConnected = Status(.unavailable, .none, "no connection to the broker", retryAfter: .seconds(1))
}
