public import Logging
internal import Messages
public import ServiceLifecycle
public import ServingModel
internal import Sessions
internal import Synchronization
package import ZeroMQ

/// A client of the broker's frontend endpoint: many queries over one session.
///
/// Call `run()` in a task of your own; it keeps a session with the broker until it is cancelled or asked to shut down.
/// Queries sent before the session stands wait for it, for `connectPatience` at most. When a session is lost, its queries
/// go on in the next: those that were accepted durably are attached to again where they were, those that were not yet
/// accepted are sent again under the same name, so that none runs twice. After `reconnectPatience` without a session they
/// end with `.unavailable`.
public actor AladdinClient: QueryService, Service {
    private nonisolated let loop: PollLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// A query between `generate` and its end; changed where it lies, as copies of it and its request are dear.
    final class OpenQuery {
        var call: QueryCall
        var stream: UInt64?
        /// When to give up if there is no session.
        var deadline: Instant
        let hear: @Sendable (QueryNews) -> Void
        /// Given up: it stays until the broker has said that it has ended, so that, should the session be lost before, the
        /// next broker hears of it.
        var isCancelled = false
        /// Whether a broker may know of it.
        var wasSent = false
        /// Whether this session reads it by `Attach`.
        var isAttached = false

        init(call: QueryCall, deadline: Instant, hear: @escaping @Sendable (QueryNews) -> Void) {
            self.call = call
            self.deadline = deadline
            self.hear = hear
        }
    }

    /// Who waits for the one answer of a call that has no more to say.
    typealias Waiter = CheckedContinuation<Result<Void, Status>, Never>
    typealias ModelsWaiter = CheckedContinuation<Result<[ServedModel], Status>, Never>

    let connection: PeerConnection
    let connectPatience: Interval
    let reconnectPatience: Interval
    var queries: [UInt64: OpenQuery] = [:]
    /// Queries that wait for a session, in order.
    var unsent: [UInt64] = []
    var queriesByStream: [UInt64: UInt64] = [:]
    var waiters: [UInt64: Waiter] = [:]
    var modelWaiters: [UInt64: ModelsWaiter] = [:]
    var modelLists: [UInt64: [ServedModel]] = [:]
    var nextStream: UInt64 = 1
    /// Of the query opened last.
    private nonisolated let numbers = Atomic<UInt64>(0)
    /// How the client ended.
    private(set) var closed: Status?

    /// - Parameters:
    ///   - endpoint: the broker's frontend endpoint, `tcp://HOST:PORT`; of several brokers, with a comma between: the
    ///     one that leads is found, and the next one when it does.
    ///   - name: what this client calls itself in tables.
    ///   - key: for a broker that wants to know who comes.
    ///   - connectPatience: how long a query waits for a session.
    ///   - reconnectPatience: how long a query whose session was lost waits for the next.
    public init(
        endpoint: String = "tcp://127.0.0.1:5550",
        name: String = "client",
        key: ClientKey? = nil,
        connectPatience: Interval = .seconds(5),
        reconnectPatience: Interval = .seconds(30),
        logger: Logger
    ) {
        self.init(
            endpoint: endpoint,
            name: name,
            key: key,
            connectPatience: connectPatience,
            reconnectPatience: reconnectPatience,
            thread: nil,
            logger: logger
        )
    }

    /// - Parameter thread: shared with other roles of the process; nil for a thread of its own.
    package init(
        endpoint: String,
        name: String,
        key: ClientKey?,
        connectPatience: Interval = .seconds(5),
        reconnectPatience: Interval = .seconds(30),
        thread: LoopThread?,
        logger: Logger
    ) {
        loop = PollLoop(name: "client", on: thread)
        self.connectPatience = connectPatience
        self.reconnectPatience = reconnectPatience
        connection = PeerConnection(
            address: endpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: name),
            keys: key?.keys,
            logger: logger
        )
    }

    public var isConnected: Bool { connection.isOpen }
    /// Queries that a broker has not yet said have ended, given up or not.
    var openQueries: Int { queries.count }

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
        stream(QueryCall(request, name: Self.makeName()))
    }

    public nonisolated func generate(
        _ request: QueryRequest,
        _ hear: @escaping @Sendable (QueryNews) -> Void
    ) -> @Sendable () -> Void {
        open(QueryCall(request, name: Self.makeName()), hear)
    }

    public nonisolated func attach(to id: String, from index: Int = 0, tenant: String? = nil) -> QueryStream {
        stream(QueryCall(id: id, from: index, tenant: tenant ?? ""))
    }

    /// A name that no other query has, for sending a query again without running it twice.
    ///
    /// Random numbers of the kernel take a system call each; these differ by being counted, and who knows one does not know
    /// the next.
    private static func makeName() -> String {
        let number = namesMade.wrappingAdd(1, ordering: .relaxed).newValue
        var hasher = Hasher()
        hasher.combine(secret.high)
        hasher.combine(number)
        let hash = UInt64(bitPattern: Int64(hasher.finalize()))
        return QueryID(high: hash, low: secret.low &+ number).description
    }

    /// Of this process.
    private static let secret = (high: UInt64.random(in: .min ... .max), low: UInt64.random(in: .min ... .max))
    private static let namesMade = Atomic<UInt64>(0)

    private nonisolated func stream(_ call: QueryCall) -> QueryStream {
        // The buffer is bounded by the answer itself: events are as many as tokens at most.
        let (stream, sink) = QueryStream.makeStream(bufferingPolicy: .unbounded)
        let giveUp = open(call) { news in
            switch news {
            case .event(let event): sink.yield(event)
            case .ended(let failure): sink.finish(throwing: failure)
            }
        }
        sink.onTermination = { if case .cancelled = $0 { giveUp() } }
        return stream
    }

    /// The caller goes on at once; opening a query belongs to this actor, and so does giving it up.
    private nonisolated func open(
        _ call: QueryCall,
        _ hear: @escaping @Sendable (QueryNews) -> Void
    ) -> @Sendable () -> Void {
        let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
        loop.execute { self.assumeIsolated { $0.open(number, call, hear) } }
        return { [weak self] in
            guard let self else { return }
            loop.execute { self.assumeIsolated { $0.cancel(number) } }
        }
    }

    /// What the broker still sends of it is ignored.
    public func leave(_ id: String) {
        for number in queries.keys.sorted() where queries[number]?.call.id == id { end(number, Self.left) }
    }

    public func leaveAll() {
        for number in queries.keys.sorted() { end(number, Self.left) }
    }

    public func models() async throws(Status) -> [ServedModel] {
        guard connection.isOpen else { throw closed ?? Self.notConnected }
        let stream = makeStream()
        // The waiter is there before the answer can be: between the two nothing may come in.
        return try await withCheckedContinuation { (waiter: ModelsWaiter) in
            modelWaiters[stream] = waiter
            guard !connection.send(.call, method: .listModels, stream: stream) else { return }
            modelWaiters.removeValue(forKey: stream)?.resume(returning: .failure(Self.tooMuchWaits))
        }.get()
    }

    private func open(_ number: UInt64, _ call: QueryCall, _ hear: @escaping @Sendable (QueryNews) -> Void) {
        if let closed {
            hear(.ended(closed))
            return
        }
        queries[number] = OpenQuery(call: call, deadline: PollLoop.now() + connectPatience, hear: hear)
        if connection.isOpen { send(number) } else { unsent.append(number) }
    }

    func send(_ number: UInt64) {
        guard let query = queries[number] else { return }
        let stream = makeStream()
        let method = query.call.method
        guard connection.send(.call, method: method, stream: stream, query.call.message) else {
            end(number, Self.tooMuchWaits)
            return
        }
        query.stream = stream
        query.wasSent = true
        query.isAttached = method == .attach
        queriesByStream[stream] = number
        if query.isCancelled { tellCancelled(query, on: stream) }
    }

    func cancel(_ number: UInt64) {
        guard let query = queries[number], !query.isCancelled else { return }
        query.isCancelled = true
        if let stream = query.stream { tellCancelled(query, on: stream) }
        // What no other session would take up needs no second word, and what nobody has heard of not even one.
        if !query.wasSent || !query.call.isOwn || !query.call.survivesSession { end(number, nil) }
    }

    /// Giving an `Attach` up leaves the query alone; one that is our own has to be ended in so many words.
    private func tellCancelled(_ query: OpenQuery, on stream: UInt64) {
        guard query.isAttached, query.call.isOwn else {
            connection.send(.cancel, method: query.isAttached ? .attach : .generate, stream: stream)
            return
        }
        connection.send(
            .call,
            method: .cancelQuery,
            stream: makeStream(),
            CancelRequest(queryID: query.call.id, tenant: query.call.tenant)
        )
    }

    func makeStream() -> UInt64 {
        defer { nextStream += 1 }
        return nextStream
    }

    private static let left = Status(
        .unavailable,
        .shuttingDown,
        "it is no longer read here; ask again",
        retryAfter: .seconds(1)
    )

    static let tooMuchWaits = Status(
        .resourceExhausted,
        .tooManyQueries,
        "too much waits to be sent to the broker"
    )

    static let notConnected = Status(.unavailable, .none, "no connection to the broker", retryAfter: .seconds(1))
}
