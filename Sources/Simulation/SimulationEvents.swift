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
