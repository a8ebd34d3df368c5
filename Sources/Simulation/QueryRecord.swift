package import Brokering
package import ServingModel

/// What became of a query in a simulation; nil is what had not happened by its end.
package struct QueryRecord: Hashable, Sendable {
    /// When it arrived: as in the trace or, in a conversation, some time after the answer before it.
    package var arrival: Instant?
    /// The worker it was placed on, the last one if there were several; the decode worker in split-phase serving, where a
    /// query of a single output token has none.
    package var worker: Int?
    /// When it was placed there.
    package var dispatched: Instant?
    package var firstToken: Instant?
    /// When it got its last token.
    package var finish: Instant?
    /// How often it lost its KV memory to other queries.
    package var preemptions = 0
    /// How often a worker began on it; more than once if a worker failed.
    package var attempts = 0
    /// It was given up: it was not admitted, it fits no worker, or too many failed with it.
    package var isRefused = false
    /// Why it was not admitted, if so.
    package var refusal: AdmissionRefusal?

    package init() {}
}
