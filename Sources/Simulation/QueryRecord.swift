package import ServingModel

/// What became of a query in a simulation; nil is what had not happened by its end.
package struct QueryRecord: Hashable, Sendable {
    /// The worker it was placed on.
    package var worker: Int?
    /// When it was placed.
    package var dispatched: Instant?
    package var firstToken: Instant?
    /// When it got its last token.
    package var finish: Instant?
    /// How often it lost its KV memory.
    package var preemptions = 0

    package init() {}
}
