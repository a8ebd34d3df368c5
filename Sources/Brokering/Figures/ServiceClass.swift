/// What a query's priority makes of it when not all can be served.
package enum ServiceClass: Int, Hashable, Sendable, CaseIterable {
    /// Of negative priority: the first to be refused.
    case sheddable
    /// Of priority 0, which is what a query has that names none.
    case standard
    /// Of positive priority.
    case high

    package init(priority: Int) {
        self = priority < 0 ? .sheddable : priority == 0 ? .standard : .high
    }

    /// The word in metrics.
    package var label: String { String(describing: self) }
}
