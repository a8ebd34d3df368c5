internal import AladdinClient
internal import ServingModel

/// One query at a `StandInService`, in the hands of the test.
struct StandInQuery: Sendable {
    /// Empty for a query that was attached to.
    let request: QueryRequest
    /// The query attached to, if it was.
    let attachedTo: String?
    /// Whose it has to be, if that was said.
    let tenant: String?
    private let continuation: QueryStream.Continuation
    private let endings: AsyncStream<Bool>

    init(attachedTo id: String, of tenant: String?, _ continuation: QueryStream.Continuation) {
        self.init(QueryRequest(input: .text(""), maxTokens: 1), attachedTo: id, of: tenant, continuation)
    }

    init(
        _ request: QueryRequest,
        attachedTo id: String? = nil,
        of tenant: String? = nil,
        _ continuation: QueryStream.Continuation
    ) {
        attachedTo = id
        self.tenant = tenant
        let (endings, source) = AsyncStream.makeStream(of: Bool.self)
        self.request = request
        self.continuation = continuation
        self.endings = endings
        continuation.onTermination = { termination in
            if case .cancelled = termination { source.yield(true) } else { source.yield(false) }
            source.finish()
        }
    }

    func send(_ events: [QueryEvent]) {
        for event in events {
            continuation.yield(event)
            if case .finished = event { continuation.finish() }
        }
    }

    func send(_ events: QueryEvent...) {
        send(events)
    }

    func fail(_ status: Status) {
        continuation.finish(throwing: status)
    }

    /// Ends the events without `finished`, as a faulty client would.
    func breakOff() {
        continuation.finish()
    }

    /// Waits until nobody listens any more: true if the query was cancelled, false if it ended by itself.
    func wasCancelled() async -> Bool {
        for await wasCancelled in endings { return wasCancelled }
        return false
    }
}

extension [QueryEvent] {
    /// Accepted as `q-1`, started on `w1` with a prediction of 12.5 ms.
    static let opening: [QueryEvent] = [
        .accepted(id: "q-1"),
        .started(worker: "w1", attempt: 1, predictedTimeToFirstToken: Interval(nanoseconds: 12_500_000)),
    ]

    /// A whole answer: `Hello, world` in three tokens.
    static let hello: [QueryEvent] =
        opening + [
            .tokens(firstIndex: 0, count: 1, ids: [1], text: "Hello"),
            .tokens(firstIndex: 1, count: 2, ids: [2, 3], text: ", world"),
            .finished(reason: .stop, inputTokens: 5, outputTokens: 3),
        ]
}
