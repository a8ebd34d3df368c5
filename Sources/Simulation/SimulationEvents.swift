internal import ServingModel

/// The end of a worker's step; of several at one instant, the lower worker index comes first.
struct StepEnd: Hashable, Comparable, Sendable {
    var time: Instant
    var worker: Int

    static func < (left: StepEnd, right: StepEnd) -> Bool {
        (left.time, left.worker) < (right.time, right.worker)
    }
}

/// A query's arrival in a worker's queue after its dispatch; of several at one instant, the earlier dispatch is first.
struct Delivery: Hashable, Comparable, Sendable {
    var time: Instant
    var dispatch: Int
    var query: Int
    var worker: Int

    static func < (left: Delivery, right: Delivery) -> Bool {
        (left.time, left.dispatch) < (right.time, right.dispatch)
    }
}

/// The arrival of a query that follows another; of several at one instant, the first of the trace is first.
struct TimedQuery: Hashable, Comparable, Sendable {
    var time: Instant
    var query: Int

    static func < (left: TimedQuery, right: TimedQuery) -> Bool {
        (left.time, left.query) < (right.time, right.query)
    }
}

/// Something that happens to the fleet; of several at one instant, what was scheduled first is first.
struct FleetEvent: Comparable, Sendable {
    enum Action: Sendable {
        case change(FleetChange.Action)
        /// A worker's start-up is over.
        case started(worker: Int)
    }

    var time: Instant
    var order: Int
    var action: Action

    static func == (left: FleetEvent, right: FleetEvent) -> Bool {
        left.time == right.time && left.order == right.order
    }

    static func < (left: FleetEvent, right: FleetEvent) -> Bool {
        (left.time, left.order) < (right.time, right.order)
    }
}
