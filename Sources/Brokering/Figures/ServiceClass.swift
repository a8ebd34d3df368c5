/// What sets a query apart from others of its model and tenant: the class whose objective it asked for, and its rank.
package struct ServiceClass: Hashable, Sendable {
    /// What a query's priority makes of it when not all can be served.
    package enum Rank: Hashable, Sendable, CaseIterable {
        /// Of negative priority: the first to be refused.
        case sheddable
        /// Of priority 0, which is what a query has that names none.
        case standard
        /// Of positive priority.
        case high

        init(priority: Int) {
            self = priority < 0 ? .sheddable : priority == 0 ? .standard : .high
        }

        /// The word in metrics.
        package var label: String { String(describing: self) }
    }

    /// Among the classes of the broker's configuration; `none` for a query that names none of them.
    package var name: String
    package var rank: Rank

    static let nameless = "none"

    package init(name: String, rank: Rank) {
        self.name = name
        self.rank = rank
    }

    /// - Parameter name: empty for a query that names none.
    init(name: String, priority: Int) {
        self.name = name.isEmpty ? Self.nameless : name
        rank = Rank(priority: priority)
    }
}
