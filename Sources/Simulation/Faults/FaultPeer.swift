internal import ServingModel

/// A process at the other end of a connection to the broker, as far as its session goes.
struct FaultPeer: Sendable {
    enum Role: Hashable, Sendable {
        case client(Int)
        case worker(Int)
        case scheduler(Int)
    }

    let role: Role
    /// Grows with each start of the process, and with each of its connections.
    var incarnation = 0
    var route = 0
    var isUp = true
    /// Its connection is down until a new one is made.
    var isConnected = true
    var session: UInt64?
    /// When it last said hello without an answer.
    var greeted: Instant?
    var lastHeard = Instant.zero
    /// It runs no instruction before this.
    var pausedUntil = Instant.zero
    /// What was sent last arrives then; nothing overtakes it.
    var lastUp = Instant.zero
    var lastDown = Instant.zero
    /// A partition: what is sent arrives after its end.
    var blockedUntil = Instant.zero
    /// A half-open connection: one direction loses everything.
    var dropsUp = false
    var dropsDown = false
    /// Mean delay.
    let delay: Double

    init(role: Role, delay: Double) {
        self.role = role
        self.delay = delay
    }
}

/// The broker's end of a session.
struct FaultSession: Sendable {
    let peer: Int
    let route: Int
    var lastHeard: Instant
    /// Messages of streams sent and not taken by the client.
    var outstanding = 0
    /// A worker's session is one from registration on.
    var isRegistered = false
    var isDraining = false
    /// What the worker granted and was sent; counted apart from the machine.
    var granted: UInt64 = 0
    var sent: UInt64 = 0
}

/// The broker's process around the machine: what its shell keeps.
struct FaultBroker: Sendable {
    var boot = 0
    var isUp = false
    /// Zero of its monotonic clock, in the run's time: other than that of the boot before.
    var origin = Instant.zero
    var pausedUntil = Instant.zero
    var sessions: [UInt64: FaultSession] = [:]
    /// Their numbers, increasing; never used again.
    var order: [UInt64] = []
    var nextSession: UInt64 = 1
    var roundIsDue = false
    var tickAt = Instant.distantFuture
    var scheduling: UInt64?
    var standbys: [UInt64] = []
    var blocked: [(session: UInt64, stream: UInt64)] = []
}
