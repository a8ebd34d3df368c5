package import AccessControl
package import Brokering
package import Sessions
package import SpanExport
package import ZeroMQ

/// Where a broker listens and what it tolerates.
package struct BrokerServiceConfiguration: Sendable {
    /// `tcp://127.0.0.1:5550` and the like; port `*` takes a free one.
    package var frontendEndpoint = "tcp://127.0.0.1:5550"
    package var workerEndpoint = "tcp://127.0.0.1:5551"
    package var schedulerEndpoint = "tcp://127.0.0.1:5552"
    package var adminEndpoint = "tcp://127.0.0.1:5553"
    package var broker = BrokerConfiguration()
    package var sessions = SessionConfiguration()
    /// Nil lets anybody in; then the endpoints must be on loopback, unless `bindsInsecurely`.
    package var security: BrokerSecurity?
    /// Who takes the spans of traced queries; with `broker.tracedShare`.
    package var spans: SpanExporter?
    /// Whether endpoints that others can reach are bound although nobody is asked who they are.
    package var bindsInsecurely = false
    /// Whether roles in this process have endpoints of their own, which no socket of the system is needed for; only without
    /// `security`, since nobody is asked for a key there.
    package var servesInside = false
    /// Shared with other roles of this process; nil for a thread of its own.
    package var thread: LoopThread?

    package init() {}

    /// Takes in less at once, as the other roles of this process can go on with that meanwhile on threads of their own.
    package mutating func leaveRoundsToOthers() {
        sessions.messagesARound = 32
    }
}

/// How a broker knows its peers.
package struct BrokerSecurity: Sendable {
    /// The keys of its own endpoints, one pair for each role.
    package var keys: [Role: CurveKeyPair]
    package var table: AccessTable

    package init(keys: [Role: CurveKeyPair], table: AccessTable) {
        self.keys = keys
        self.table = table
    }
}

/// Where a broker came to listen.
package struct BrokerAddresses: Hashable, Sendable {
    package var frontend: String
    package var worker: String
    package var scheduler: String
    package var admin: String
    /// For roles in the same process; nil if they come by the others.
    package var inside: InsideAddresses?

    package init(
        frontend: String,
        worker: String,
        scheduler: String,
        admin: String,
        inside: InsideAddresses? = nil
    ) {
        self.frontend = frontend
        self.worker = worker
        self.scheduler = scheduler
        self.admin = admin
        self.inside = inside
    }
}

/// Where roles in the broker's own process reach it.
package struct InsideAddresses: Hashable, Sendable {
    package var frontend: String
    package var worker: String
    package var scheduler: String
}
