internal import ServingModel

/// What became of a lease.
package enum LeaseEnd: Int, Hashable, Sendable, CaseIterable {
    /// Its worker answered the query.
    case completed
    /// Its worker left the KV cache for another, which goes on with it.
    case moved
    /// Its worker said that it could not, or broke the rules.
    case failed
    /// Its worker was lost.
    case lost
    /// Its worker left in good order before it was done.
    case returned
    /// The client gave the query up.
    case cancelled
    /// The query's deadline passed.
    case expired

    /// The word in metrics.
    package var label: String { String(describing: self) }

    init(_ status: Status) {
        self =
            switch (status.code, status.reason) {
            case (.ok, _): .completed
            case (.cancelled, _): .cancelled
            case (.deadlineExceeded, _): .expired
            case (_, .workerLost): .lost
            case (_, .shuttingDown): .returned
            default: .failed
            }
    }
}
