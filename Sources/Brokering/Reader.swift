package import ServingModel

/// How far one stream has been told of its query.
struct Reader: Hashable, Sendable {
    let query: QueryNumber
    /// Of the query's record, which is not forgotten while somebody reads it.
    let place: Int
    /// The next token to send.
    var cursor: Int
    var attemptTold = 0
    var wasToldAccepted = false
    /// Whether it has to forget its tokens from `cursor` on before it is told of more.
    var owesReset = false
    var wasToldFinished = false
    /// Whether it has given its call up, so that only the end is left to tell.
    var hearsEndOnly = false
    /// Whether its call named a query that was accepted before.
    var isDuplicate = false
    /// Whether the stream has been announced since it was last served: once is enough, however much happens.
    var isAnnounced = false

    /// Whether its call submitted the query, and not merely attached to it.
    let isOwn: Bool

    init(query: QueryNumber, at place: Int, cursor: Int, isOwn: Bool) {
        self.query = query
        self.place = place
        self.cursor = cursor
        self.isOwn = isOwn
    }
}

/// The next thing to tell a reader.
package enum Delivery: Hashable, Sendable {
    case accepted(QueryID, Durability, isDuplicate: Bool)
    case started(worker: String, attempt: Int, predictedTimeToFirstToken: Interval?)
    case tokens(firstIndex: Int, count: Int, ids: [Int32], text: String)
    case reset(firstIndex: Int)
    case finished(FinishReason, inputTokens: Int, outputTokens: Int)
    /// The stream is over.
    case end(Status)
    /// So is one that was given up, and its query has ended with it; what was not told before is not told any more.
    case givenUp(QueryID, Status)
}
