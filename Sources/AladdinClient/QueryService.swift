public import ServingModel

/// Whoever answers queries: `AladdinClient` over ZeroMQ, or a stand-in within the process for tests.
public protocol QueryService: Sendable {
    /// Sends a query and returns at once; everything that happens to it, a refusal included, comes from the stream.
    func generate(_ request: QueryRequest) -> QueryStream

    /// The same for who has no task to wait in: all that happens to the query is told to `hear`, in order, from a thread
    /// that it must not block.
    ///
    /// - Returns: what gives the query up; nothing of it need be listened to afterwards.
    func generate(
        _ request: QueryRequest,
        _ hear: @escaping @Sendable (QueryNews) -> Void
    ) -> @Sendable () -> Void

    /// Reads a query that was accepted before, from token `index` on: from its kept result, or beside other readers.
    ///
    /// - Parameter tenant: whose query it has to be; nil for whatever tenant the service's own key speaks for.
    func attach(to id: String, from index: Int, tenant: String?) -> QueryStream

    /// Stops reading a query without ending it; its stream ends with `.unavailable`.
    ///
    /// One that is written down can be asked for again, by its identifier or under its name.
    func leave(_ id: String) async

    /// Stops reading all queries without ending them.
    func leaveAll() async

    /// The models served at the moment, sorted by name.
    ///
    /// - Throws: a `Status`, `.unavailable` while the broker can't be reached.
    func models() async throws(Status) -> [ServedModel]

    /// Whether a session with the broker is established.
    var isConnected: Bool { get async }
}

extension QueryService {
    public func generate(
        _ request: QueryRequest,
        _ hear: @escaping @Sendable (QueryNews) -> Void
    ) -> @Sendable () -> Void {
        let stream = generate(request)
        // It ends with the query, or when that is given up.
        let task = Task {
            do {
                for try await event in stream { hear(.event(event)) }
                hear(.ended(nil))
            } catch {
                hear(.ended(error as? Status ?? Status(.unknown, .none, "\(error)")))
            }
        }
        return { task.cancel() }
    }

    // For services whose queries belong to nobody else.
    public func leave(_ id: String) async {}
    public func leaveAll() async {}
}
