internal import Brokering
internal import ServingModel

extension KeptResult {
    /// - Parameters:
    ///   - row: of `query`, with the columns of `result` beside it.
    ///   - failures: of `failure`, in order.
    /// - Throws: `RowDamage` if it is not what was written.
    init(_ row: some StoredRow, failures: [some StoredRow]) throws {
        self.init(
            accepted: try AcceptedQuery(row),
            end: try QueryEnd(row),
            failures: try failures.map { try FailedAttempt($0) }
        )
    }

    /// The same, but a result that is not what was written is told as lost: one damaged answer is no reason to stop
    /// serving others.
    init(orLost row: some StoredRow, failures: [some StoredRow]) throws {
        do {
            try self.init(row, failures: failures)
        } catch is RowDamage {
            let message = "this result was damaged on the broker's disk"
            let end = QueryEnd(at: UnixTime(milliseconds: try row.read("ended_ms")), code: .dataLoss, message: message)
            self.init(accepted: try AcceptedQuery(row), end: end)
        }
    }
}
