/// What must hold whatever fails: the one table of the service's invariants.
///
/// The raw value is the invariant's number in the design. Three of them cannot be broken in a simulation of pure machines;
/// they stand here so that the table is whole, with where they are tested.
package enum FaultInvariant: Int, Hashable, Sendable, CaseIterable {
    case oneEnd = 1
    case nothingUnaccepted = 2
    case oneStream = 3
    case oneLease = 4
    case fencing = 5
    case boundedAttempts = 6
    case nothingTooLate = 7
    case sameKeySameQuery = 8
    case toldIsKept = 9
    case credit = 10
    case tenantsApart = 11
    case exactRecovery = 12
    case corruptionRefused = 13
    case plansMoveNothingLeased = 14
    case liveness = 15
    case authorised = 16
    case neverBlocks = 17

    package var title: String {
        switch self {
        case .oneEnd: "one end"
        case .nothingUnaccepted: "nothing unaccepted"
        case .oneStream: "one stream"
        case .oneLease: "one lease"
        case .fencing: "fencing"
        case .boundedAttempts: "bounded attempts"
        case .nothingTooLate: "nothing too late"
        case .sameKeySameQuery: "same key, same query"
        case .toldIsKept: "told is kept"
        case .credit: "credit"
        case .tenantsApart: "tenants apart"
        case .exactRecovery: "exact recovery"
        case .corruptionRefused: "corruption refused"
        case .plansMoveNothingLeased: "plans move nothing leased"
        case .liveness: "liveness"
        case .authorised: "authorised"
        case .neverBlocks: "never blocks"
        }
    }

    /// What it means here, and when it is checked.
    package var meaning: String {
        switch self {
        case .oneEnd:
            "a query ends once: no second end is written or told, nothing is written after it; every durable query has "
                + "its end on the disk when the run is over"
        case .nothingUnaccepted:
            "no dispatch, record or token of a query that nobody submitted; at every dispatch, write and delivery"
        case .oneStream:
            "a client's tokens are 0, 1, 2, … but for resets, and are those of the fenced attempts; at every delivery, and "
                + "whole at the end, also when the result is read again from another session"
        case .oneLease:
            "a query has one lease at a time, and leases grow, also over restarts; at every dispatch and write"
        case .fencing:
            "a query's output grows only by what its present lease's holder reports; at every report"
        case .boundedAttempts:
            "no more dispatches than attempts and restarts allow, and each repetition is on the disk before it is "
                + "dispatched; at every dispatch"
        case .nothingTooLate: "no dispatch after the deadline or after a cancellation; at every dispatch"
        case .sameKeySameQuery:
            "one owner's key leads to one query as long as its result is kept, also over restarts; whenever acceptance is "
                + "told or written"
        case .toldIsKept:
            "an acceptance or an end that was told is on the disk, and is found after any crash; at every delivery and "
                + "attachment"
        case .credit: "no worker gets more than it granted, no client more than its connection holds; at every message"
        case .tenantsApart: "no owner gets tokens or the state of another's query; at every delivery"
        case .exactRecovery:
            "a broker takes over exactly what the durable records amount to, and doing it twice changes nothing; at every "
                + "restart"
        case .corruptionRefused: "not here, where records have no bytes: the tests of the journal"
        case .plansMoveNothingLeased:
            "a scheduler that comes, goes or is late changes nothing that was leased; at every message from one"
        case .liveness: "once faults stop, every query ends and every client hears of it within a bounded time"
        case .authorised: "not here, where there are no keys and roles: the tests of security and services"
        case .neverBlocks: "not here, where nothing takes time: the chaos run with real processes"
        }
    }

    /// Whether the simulation can tell.
    package var isChecked: Bool {
        switch self {
        case .corruptionRefused, .authorised, .neverBlocks: false
        default: true
        }
    }
}

/// The first thing that went wrong in a run.
package struct FaultViolation: Hashable, Sendable, CustomStringConvertible {
    package var invariant: FaultInvariant
    package var message: String
    /// Milliseconds of virtual time.
    package var milliseconds: Double

    package var description: String {
        "I\(invariant.rawValue) (\(invariant.title)) at \(milliseconds) ms: \(message)"
    }
}
