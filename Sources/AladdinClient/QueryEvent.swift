public import ServingModel

/// What one hears of a query, in order: accepted, started, tokens …, finished.
public enum QueryEvent: Hashable, Sendable {
    /// The broker owns the query from here on.
    case accepted(id: String)
    /// A worker has it; again for each attempt.
    case started(worker: String, attempt: Int, predictedTimeToFirstToken: Interval?)
    /// Consecutive tokens from `firstIndex` on, and the text that they made certain.
    case tokens(firstIndex: Int, count: Int, ids: [Int32], text: String)
    /// The next attempt could not go on where the last one ended: forget tokens from this index on.
    case reset(firstIndex: Int)
    case finished(reason: FinishReason, inputTokens: Int, outputTokens: Int)
}

/// What a hearer of one query is told.
public enum QueryNews: Hashable, Sendable {
    case event(QueryEvent)
    /// Nothing follows; why, where the query ends badly.
    case ended(Status?)
}

/// The events of one query; it throws a `Status` where the query ends badly.
///
/// Dropping the iterator before `finished` cancels the query, all the way to the engine.
public typealias QueryStream = AsyncThrowingStream<QueryEvent, any Error>

/// A model that the service offers at the moment.
public struct ServedModel: Hashable, Sendable {
    public var name: String
    public var workers: Int
    public var contextLength: Int
    /// `cpu`, `emulated`, …, or `mixed`.
    public var engine: String

    public init(name: String, workers: Int, contextLength: Int, engine: String) {
        self.name = name
        self.workers = workers
        self.contextLength = contextLength
        self.engine = engine
    }
}
