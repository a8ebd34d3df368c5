package import ServingModel

/// Something that happens to the fleet at a given time, whatever the load.
package struct FleetChange: Sendable {
    package enum Action: Sendable {
        /// A worker begins to start up, and serves when that is over; it gets the next free index.
        case start(LatencyProfile, startUp: Interval)
        /// A worker finishes what it has and takes nothing new.
        case drain(worker: Int)
        /// A worker dies; what it had is tried elsewhere.
        case fail(worker: Int)
    }

    package var time: Instant
    package var action: Action

    package init(time: Instant, action: Action) {
        self.time = time
        self.action = action
    }
}
