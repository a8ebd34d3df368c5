internal import Glibc
internal import PostgreSQL
internal import ServingModel

/// How a broker comes to lead: it looks who does, again and again, on a connection that comes back when it is lost.
struct LeaderElection {
    private let lease: LeaderLease
    private let database: PostgreSQLDatabase
    private let now: @Sendable () -> UnixTime
    private let isGivenUp: @Sendable () -> Bool

    init(
        _ lease: LeaderLease,
        _ database: PostgreSQLDatabase,
        now: @escaping @Sendable () -> UnixTime,
        isGivenUp: @escaping @Sendable () -> Bool
    ) {
        self.lease = lease
        self.database = database
        self.now = now
        self.isGivenUp = isGivenUp
    }

    /// - Parameters:
    ///   - note: told what is waited for; nil waits only for leaders that are gone.
    ///   - warn: what an operator should know of the database.
    /// - Returns: the epoch, and the connection on which the lease is to be renewed.
    func win(
        standingBy note: ((String) -> Void)?,
        warn: ([String]) -> Void
    ) throws -> (epoch: UInt32, PostgreSQLConnection) {
        var connection: PostgreSQLConnection?
        var told = ""
        var sightings: [Int64] = []
        while true {
            guard !isGivenUp() else { throw JournalFailure(.inUse, "nobody waits for the journal any more") }
            do {
                let opened = try connection ?? connect(warn)
                connection = opened
                if let epoch = try lease.take(on: opened, at: now(), waiting) { return (epoch, opened) }
                let leader = lease.leader
                tell("\(leader?.name ?? "another broker") leads", &told, note)
                if let beat = leader?.beat, sightings.last != beat { sightings.append(beat) }
                // Two beats in a row are a living leader's.
                guard note != nil || sightings.count < 3 else { throw inUse(leader) }
            } catch let error as PostgreSQLError where note != nil && (error.kind != .refused || error.isPassing) {
                connection = nil
                tell(JournalFailure(error, "opening", database.address).message, &told, note)
            }
            usleep(UInt32(lease.pause.nanoseconds / 1000))
        }
    }

    private func connect(_ warn: ([String]) -> Void) throws -> PostgreSQLConnection {
        let connection = try database.connect(for: .leading, whileWaiting: waiting)
        warn(try connection.prepareSchema(of: database.address, whileWaiting: waiting))
        return connection
    }

    /// A database that takes longer is not one to wait for: the next look finds another connection.
    private var waiting: PostgreSQLConnection.Waiting {
        { [isGivenUp] waited throws(PostgreSQLError) in
            guard !isGivenUp(), waited < .seconds(10) else {
                throw PostgreSQLError(.abandoned, "it did not answer within \(waited.nanoseconds / 1_000_000_000) s")
            }
        }
    }

    private func tell(_ text: String, _ told: inout String, _ note: ((String) -> Void)?) {
        guard text != told else { return }
        told = text
        note?(text)
    }

    private func inUse(_ leader: LeaderWatch.Look?) -> JournalFailure {
        JournalFailure(
            .inUse,
            """
            the journal in schema \(database.address.schema) of \(database.address.shown) is in use by another broker \
            (\(leader?.name ?? "unknown"))
            """
        )
    }
}
