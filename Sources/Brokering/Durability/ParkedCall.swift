package import ServingModel

/// A client's call that waits for the journal's answer.
struct ParkedCall: Sendable {
    enum Purpose: Sendable {
        /// Its name may belong to a query that is no longer in memory.
        case submit(Submission, QueryID, arrival: Instant)
        case attach(Attachment)
        case cancel(QueryID, Account)
        case acknowledge(QueryID, Account)
        case explain(QueryID, Account)
    }

    let ticket: UInt64
    let stream: StreamKey
    let purpose: Purpose
    /// Nobody waits any more; the answer is still to come.
    var isGivenUp = false
}

/// A wish to read a query that was accepted before.
package struct Attachment: Hashable, Sendable {
    package var query: QueryID
    /// The first token wanted.
    package var firstIndex: Int
    /// The latest attempt that the reader has heard of; what it knows of the answer it has from that one and those
    /// before.
    ///
    /// 0 for one that has heard nothing.
    package var seenAttempt: Int
    /// Whose queries the reader may see.
    package var account: Account

    package init(query: QueryID, firstIndex: Int = 0, seenAttempt: Int = 0, account: Account = .any) {
        self.query = query
        self.firstIndex = firstIndex
        self.seenAttempt = seenAttempt
        self.account = account
    }
}
