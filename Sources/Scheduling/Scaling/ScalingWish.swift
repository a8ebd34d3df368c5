/// How many workers a scaling policy wants active or starting, and why.
package struct ScalingWish: Hashable, Sendable {
    package var workers: Int
    package var reason: ScalingReason

    package init(workers: Int, reason: ScalingReason) {
        self.workers = workers
        self.reason = reason
    }
}

/// Why the number of workers is wished for.
package enum ScalingReason: String, Hashable, Sendable, CaseIterable {
    /// The number is given.
    case fixed
    /// As many as there are: nothing calls for a change, or it is not yet time to decide.
    case steady
    /// More, for the load to expect.
    case demand
    /// So many, to be ready for bursts that no forecast sees coming.
    case reserve
    /// More, for what waits.
    case backlog
    /// Fewer, for the load has been lower long enough.
    case surplus
    /// Fewer would do, but not for long enough yet.
    case lingering
    /// Held at the least or most number allowed.
    case limit
}
