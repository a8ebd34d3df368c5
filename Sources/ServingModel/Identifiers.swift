/// A worker as the broker and scheduler know it: the number of its session, never reused while a broker runs.
public struct WorkerID: SerialNumber {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A query's place in the order of acceptance at one broker; the scheduler's name for it.
public struct QueryNumber: SerialNumber {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// The fencing number of one attempt to run a query on one worker.
///
/// Strictly increasing over the life of a broker. Whatever arrives under a lease that is no longer the query's current
/// one is discarded, so two executions are never visible at once.
public struct Lease: SerialNumber {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}
