internal import Messages
public import ServingModel
internal import Sessions

/// Calls with one answer, about queries that are there.
extension AladdinClient {
    /// Ends a query, whoever reads it; one that has ended already stays as it is.
    ///
    /// - Parameter tenant: whose query it has to be; nil for whatever tenant the client's own key speaks for.
    /// - Throws: a `Status`, `.notFound` also for another tenant's query, `.unavailable` while there is no session.
    public func cancel(_ id: String, tenant: String? = nil) async throws(Status) {
        try await call(.cancelQuery, CancelRequest(queryID: id, tenant: tenant ?? "").encode())
    }

    /// Says that a query's result has arrived, so that the broker need not keep it any longer.
    ///
    /// - Parameter tenant: as with `cancel`.
    /// - Throws: a `Status`, as with `cancel`; `.failedPrecondition` for a query that has not ended.
    public func acknowledge(_ id: String, tenant: String? = nil) async throws(Status) {
        try await call(.acknowledge, AcknowledgeRequest(queryID: id, tenant: tenant ?? "").encode())
    }

    private func call(_ method: Method, _ body: [UInt8]) async throws(Status) {
        guard connection.isOpen else { throw closed ?? Self.notConnected }
        let stream = makeStream()
        try await withCheckedContinuation { (waiter: Waiter) in
            guard connection.send(.call, method: method, stream: stream, body: body) else {
                waiter.resume(returning: .failure(Self.tooMuchWaits))
                return
            }
            waiters[stream] = waiter
        }.get()
    }
}
