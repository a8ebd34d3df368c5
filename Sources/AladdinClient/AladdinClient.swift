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
    private struct OpenQuery {
        var request: QueryRequest
        var stream: UInt64?
        var deadline: Instant
        var sink: QueryStream.Continuation
    }

    private typealias ModelsWaiter = CheckedContinuation<Result<[ServedModel], Status>, Never>

    private let connection: PeerConnection
    private let connectPatience: Interval
    private var queries: [UInt64: OpenQuery] = [:]
    /// Queries that wait for a session, in order.
    private var unsent: [UInt64] = []
    private var queriesByStream: [UInt64: UInt64] = [:]
    private var modelWaiters: [UInt64: ModelsWaiter] = [:]
    private var modelLists: [UInt64: [ServedModel]] = [:]
    private var nextStream: UInt64 = 1
    private var nextQuery: UInt64 = 1
    private var isClosed = false

    /// - Parameters:
    ///   - endpoint: the broker's frontend endpoint, `tcp://HOST:PORT`.
    ///   - name: what this client calls itself in tables.
    ///   - connectPatience: how long a query waits for a session.
    public init(
        endpoint: String = "tcp://127.0.0.1:5550",
        name: String = "client",
        connectPatience: Interval = .seconds(5),
        logger: Logger
    ) {
        self.connectPatience = connectPatience
        connection = PeerConnection(
            address: endpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: name),
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
            await loop.stop()
            throw error
        }
        try? await gracefulShutdown()
        isClosed = true
        failEverything(Status(.unavailable, .shuttingDown, "the client was closed"))
        connection.close()
        await loop.stop()
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
        guard connection.isOpen else { throw Self.notConnected }
        let stream = makeStream()
        connection.send(.call, method: .listModels, stream: stream)
        return try await withCheckedContinuation { (waiter: ModelsWaiter) in modelWaiters[stream] = waiter }.get()
    }

    private func open(_ request: QueryRequest, _ sink: QueryStream.Continuation) {
        guard !isClosed else {
            sink.finish(throwing: Status(.unavailable, .shuttingDown, "the client was closed"))
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

    private func send(_ number: UInt64) {
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

    private func cancel(_ number: UInt64) {
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

extension AladdinClient {
    private func brokerSent(_ event: PeerConnection.Event) {
        switch event {
        case .opened:
            nextStream = 1
            let waiting = unsent
            unsent.removeAll()
            for number in waiting { send(number) }
        case .lost(let status):
            // What was never sent goes on waiting; what was sent died with the session.
            for number in queries.keys.sorted() where queries[number]?.stream != nil {
                end(number, Status(.unavailable, .sessionExpired, "connection to the broker lost: \(status.message)"))
            }
            for (_, waiter) in modelWaiters { waiter.resume(returning: .failure(Self.notConnected)) }
            modelWaiters.removeAll()
        case .frame(let header, let body) where header.method == .listModels:
            hearModels(header, body)
        case .frame(let header, let body):
            hear(header, body)
        }
    }

    private func hear(_ header: FrameHeader, _ body: [UInt8]) {
        guard let number = queriesByStream[header.stream], let query = queries[number] else { return }
        guard header.kind == .item else {
            let status =
                (try? Status.decode(body)) ?? Status(.internalError, .malformed, "the broker's answer is unreadable")
            end(number, status.isOK ? nil : status)
            return
        }
        guard let event = try? GenerateEvent.decode(body) else {
            cancel(number)
            query.sink.finish(throwing: Status(.internalError, .malformed, "the broker's answer is unreadable"))
            return
        }
        query.sink.yield(QueryEvent(event))
    }

    private func hearModels(_ header: FrameHeader, _ body: [UInt8]) {
        if header.kind == .item {
            modelLists[header.stream] = (try? ModelList.decode(body))?.models.map {
                ServedModel(name: $0.name, workers: $0.workers, contextLength: $0.contextLength, engine: $0.engine)
            }
            return
        }
        let models = modelLists.removeValue(forKey: header.stream)
        guard let waiter = modelWaiters.removeValue(forKey: header.stream) else { return }
        let status = (try? Status.decode(body)) ?? Status(.internalError, .malformed)
        waiter.resume(returning: status.isOK ? .success(models ?? []) : .failure(status))
    }

    private func end(_ number: UInt64, _ failure: Status?) {
        guard let query = queries.removeValue(forKey: number) else { return }
        if let stream = query.stream { queriesByStream[stream] = nil }
        query.sink.finish(throwing: failure)
    }

    private func failEverything(_ status: Status) {
        for number in queries.keys.sorted() { end(number, status) }
        for (_, waiter) in modelWaiters { waiter.resume(returning: .failure(status)) }
        modelWaiters.removeAll()
    }

    private func cycle(at now: Instant) -> Instant {
        var next = connection.cycle(at: now)
        unsent.removeAll { number in
            guard let query = queries[number] else { return true }
            next = min(next, query.deadline)
            guard query.deadline <= now else { return false }
            end(number, Self.notConnected)
            return true
        }
        return next
    }
}

extension QueryEvent {
    init(_ event: GenerateEvent) {
        self =
            switch event {
            case .accepted(let id):
                .accepted(id: id)
            case .started(let started):
                .started(
                    worker: started.worker,
                    attempt: started.attempt,
                    predictedTimeToFirstToken: started.predictedTimeToFirstToken > .zero
                        ? started.predictedTimeToFirstToken : nil
                )
            case .tokens(let tokens):
                .tokens(firstIndex: tokens.firstIndex, count: tokens.count, ids: tokens.ids, text: tokens.text)
            case .reset(let firstIndex):
                .reset(firstIndex: firstIndex)
            case .finished(let finished):
                .finished(
                    reason: finished.reason,
                    inputTokens: finished.inputTokens,
                    outputTokens: finished.outputTokens
                )
            }
    }
}
