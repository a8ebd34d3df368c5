internal import Brokering
internal import ServingModel

/// What peers send to the broker, as their shells would have decoded it.
enum FaultRequest: Sendable {
    case hello
    case heartbeat
    case goodbye
    // Clients.
    case submit(stream: UInt64, request: Int)
    case attach(stream: UInt64, Attachment)
    case cancel(stream: UInt64)
    case acknowledge(stream: UInt64, QueryID)
    // Workers.
    case register
    case pull(granted: UInt64)
    case report(WorkerStep)
    case drain
    // Schedulers.
    case schedule(standsBy: Bool)
    case placements([Placement])
}

/// What the broker sends.
enum FaultReply: Sendable {
    case welcome(UInt64)
    case heartbeat
    /// The session is not known, or over.
    case goodbye
    case delivery(stream: UInt64, Brokering.Delivery)
    case end(stream: UInt64, Status)
    case acknowledged(stream: UInt64, Status)
    case batch([Assignment])
    case revoke([Lease])
    case events([ClusterEvent])
    case superseded
}

/// What is to happen, and to whom.
enum FaultEvent: Sendable {
    case toBroker(peer: Int, route: Int, session: UInt64, FaultRequest)
    case toPeer(peer: Int, route: Int, session: UInt64, FaultReply)
    /// The broker does what its machine asks for.
    case round(boot: Int)
    case tick(boot: Int)
    case brokerBeat(boot: Int)
    case synced(boot: Int)
    case found(boot: Int, ticket: UInt64, KeptResult?)
    case startBroker
    case startPeer(Int, incarnation: Int)
    case beat(peer: Int, incarnation: Int)
    /// A client does something of its own accord.
    case act(client: Int)
    /// A slow reader is done with its message.
    case read(client: Int)
    case stepEnded(worker: Int, incarnation: Int, step: Int)
    case decide(scheduler: Int, incarnation: Int)
    /// The engine goes on after a hang.
    case wake(worker: Int, incarnation: Int)
    case reconnect(peer: Int, route: Int)
    case fault
    /// Faults stop, and everything that is broken is mended.
    case calm
}

struct FaultEntry: Comparable, Sendable {
    let at: Instant
    let order: UInt64
    let event: FaultEvent

    static func < (left: FaultEntry, right: FaultEntry) -> Bool {
        (left.at, left.order) < (right.at, right.order)
    }

    static func == (left: FaultEntry, right: FaultEntry) -> Bool { left.order == right.order }
}
