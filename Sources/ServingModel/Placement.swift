/// A scheduler's decision: this attempt of this query goes to this worker's queue.
public struct Placement: Hashable, Sendable {
    public var query: QueryNumber
    /// The attempt decided on; the decision is void if the query has moved on since.
    public var attempt: Int
    public var worker: WorkerID
    /// From arrival to first token, as predicted; nil if the policy predicts nothing.
    public var predictedTimeToFirstToken: Interval?
    /// Mean time of the tokens after the first, as predicted; nil if the policy predicts nothing.
    public var predictedTokenTime: Interval?
    /// Nil unless the policy was asked to explain itself.
    public var explanation: PlacementExplanation?

    public init(
        query: QueryNumber,
        attempt: Int,
        worker: WorkerID,
        predictedTimeToFirstToken: Interval?,
        predictedTokenTime: Interval? = nil,
        explanation: PlacementExplanation? = nil
    ) {
        self.query = query
        self.attempt = attempt
        self.worker = worker
        self.predictedTimeToFirstToken = predictedTimeToFirstToken
        self.predictedTokenTime = predictedTokenTime
        self.explanation = explanation
    }
}
