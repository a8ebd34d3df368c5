/// A query that has ended and is to be traced.
package struct QueryTrace: Hashable, Sendable {
    package var context: TraceContext
    /// `chat` or `text_completion`.
    package var operation: String
    package var arrival: Instant
    package var explanation: QueryExplanation
    /// When its client could be told that it was accepted, from its arrival; nil if that did not come to pass.
    package var accepted: Interval?
    /// Why the answer ended, in OpenAI's word.
    package var finish: String?

    package init(context: TraceContext, operation: String, arrival: Instant, explanation: QueryExplanation) {
        self.context = context
        self.operation = operation
        self.arrival = arrival
        self.explanation = explanation
    }
}
