public import ServingModel

/// Whoever answers queries: `AladdinClient` over ZeroMQ, or a stand-in within the process for tests.
public protocol QueryService: Sendable {
    /// Sends a query and returns at once; everything that happens to it, a refusal included, comes from the stream.
    func generate(_ request: QueryRequest) -> QueryStream

    /// Reads a query that was accepted before, from token `index` on: from its kept result, or beside other readers.
    ///
    /// - Parameter tenant: whose query it has to be; nil for whatever tenant the service's own key speaks for.
    func attach(to id: String, from index: Int, tenant: String?) -> QueryStream

    /// The models served at the moment, sorted by name.
    ///
    /// - Throws: a `Status`, `.unavailable` while the broker can't be reached.
    func models() async throws(Status) -> [ServedModel]

    /// Whether a session with the broker is established.
    var isConnected: Bool { get async }
}
