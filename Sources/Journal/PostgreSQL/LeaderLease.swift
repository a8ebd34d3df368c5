internal import Glibc
internal import PostgreSQL
internal import ServingModel
internal import Synchronization

/// The right to be the one broker that writes a journal: a row in its database, renewed by a thread and a session of its
/// own, so that a slow commit does not cost it.
///
/// Lifecycle: `take` until it returns an epoch; `keep` starts the thread; `release` or `abandon` ends it.
final class LeaderLease: @unchecked Sendable {
    let database: PostgreSQLDatabase
    private let name: String
    private let duration: Interval
    /// When the lease is over unless it is renewed; 0 when it is lost.
    private let validUntil = Atomic<Int64>(0)
    private let isEnding = Atomic<Bool>(false)
    private var connection: PostgreSQLConnection?
    private var watch = LeaderWatch()
    private var fail: (@Sendable (JournalFailure) -> Void)?
    private var thread: pthread_t?

    /// - Parameters:
    ///   - name: who leads, for messages of others.
    ///   - duration: how long the lease holds after its last renewal.
    init(_ database: PostgreSQLDatabase, name: String, duration: Interval) {
        self.database = database
        self.name = name
        self.duration = duration
    }

    /// Whether this process may still act as the leader.
    var isValid: Bool { MonotonicTime.now() < validUntil.load(ordering: .relaxed) }

    /// Who leads, as of the last look.
    var leader: LeaderWatch.Look? { watch.latest }

    /// How long to wait between two looks.
    var pause: Interval { min(.milliseconds(200), Interval(nanoseconds: duration.nanoseconds / 10)) }

    /// Looks who leads, and takes over if nobody does.
    ///
    /// - Returns: the new epoch; nil while another leads, or may.
    func take(
        on connection: PostgreSQLConnection,
        at time: UnixTime,
        _ waiting: PostgreSQLConnection.Waiting
    )
        throws -> UInt32?
    {
        let look = try look(on: connection, waiting)
        watch.note(look, at: MonotonicTime.now())
        guard watch.mayTakeOver(at: MonotonicTime.now()) else { return nil }
        try connection.script("BEGIN; SET LOCAL synchronous_commit = on", whileWaiting: waiting)
        do {
            let epoch = try replace(look, on: connection, at: time, waiting)
            // Counted from before anybody can see it.
            let begun = MonotonicTime.now()
            try connection.script(epoch == nil ? "ROLLBACK" : "COMMIT", whileWaiting: waiting)
            guard let epoch else { return nil }
            validUntil.store(begun + duration.nanoseconds, ordering: .relaxed)
            return epoch
        } catch let error as PostgreSQLError where error.kind == .refused {
            try connection.script("ROLLBACK", whileWaiting: waiting)
            throw error
        }
    }

    private func look(
        on connection: PostgreSQLConnection,
        _ waiting: PostgreSQLConnection.Waiting
    ) throws
        -> LeaderWatch.Look
    {
        let rows = try connection.run(
            PostgreSQLStatement(
                """
                SELECT instance, name, beat, lease_ms, is_released, EXISTS (
                    SELECT FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = $1 || instance
                ) AS has_session FROM leader
                """,
                [.text(PostgreSQLDatabase.sessionName(""))]
            ),
            whileWaiting: waiting
        )
        guard let row = rows.first else { throw RowDamage("the row of 'leader' is gone") }
        return LeaderWatch.Look(
            instance: try row.read("instance"),
            name: try row.read("name"),
            beat: try row.read("beat"),
            lease: .milliseconds(try row.read("lease_ms")),
            isReleased: try row.read("is_released"),
            hasSession: try row.read("has_session")
        )
    }

    /// - Returns: nil if somebody was quicker.
    private func replace(
        _ look: LeaderWatch.Look,
        on connection: PostgreSQLConnection,
        at time: UnixTime,
        _ waiting: PostgreSQLConnection.Waiting
    ) throws -> UInt32? {
        let current = try connection.run(
            PostgreSQLStatement("SELECT instance, beat FROM leader FOR UPDATE"),
            whileWaiting: waiting
        )
        guard current.value(0, 0) == .text(look.instance), current.value(0, 1) == .integer(look.beat) else {
            return nil
        }
        // What the old leader has begun must not go on, and its locks must not keep the new one waiting.
        _ = try connection.run(
            PostgreSQLStatement(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = $1
                """,
                [.text(PostgreSQLDatabase.sessionName(look.instance))]
            ),
            whileWaiting: waiting
        )
        let least = UInt32.next(after: 0, at: time)
        let results = try connection.run(
            [
                PostgreSQLStatement(
                    """
                    UPDATE broker SET epoch = greatest(epoch + 1, $1), opened_ms = $2, records = 0 RETURNING epoch
                    """,
                    [.integer(Int64(least)), .integer(time.milliseconds)]
                ),
                PostgreSQLStatement(
                    """
                    UPDATE leader SET instance = $1, name = $2, since_ms = $3, beat = 1, lease_ms = $4,
                        is_released = false
                    """,
                    [
                        .text(database.instance), .text(name.stored), .integer(time.milliseconds),
                        .integer(duration.nanoseconds / 1_000_000),
                    ]
                ),
            ],
            whileWaiting: waiting
        )
        guard let epoch = results[0].number.flatMap({ UInt32(exactly: $0) }) else {
            throw RowDamage("the epoch has run out")
        }
        return epoch
    }
}

extension LeaderLease {
    /// Starts to renew the lease that `take` brought.
    ///
    /// - Parameter fail: told once, on the lease's thread, that it is lost.
    func keep(on connection: PostgreSQLConnection, _ fail: @escaping @Sendable (JournalFailure) -> Void) {
        self.connection = connection
        self.fail = fail
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, leaseThread, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "cannot start the thread of the leader's lease: \(code)")
        self.thread = thread
    }

    /// Lets another broker take over at once.
    func release() {
        end()
        guard let connection else { return }
        let begun = MonotonicTime.now()
        _ = try? connection.run(
            PostgreSQLStatement(
                "UPDATE leader SET is_released = true WHERE instance = $1",
                [.text(database.instance)]
            )
        ) { waited throws(PostgreSQLError) in
            guard MonotonicTime.now() - begun < 1_000_000_000 else { throw PostgreSQLError(.abandoned, "too slow") }
        }
        self.connection = nil
    }

    /// Ends without a word; the lease runs out.
    func abandon() {
        end()
        connection = nil
    }

    /// From here on nothing is done in its name.
    func lose() {
        validUntil.store(0, ordering: .relaxed)
    }

    private func end() {
        isEnding.store(true, ordering: .relaxed)
        if let thread { pthread_join(thread, nil) }
        thread = nil
        lose()
    }

    fileprivate func run() {
        let interval = duration.nanoseconds / 5
        var next = MonotonicTime.now() + interval
        while !isEnding.load(ordering: .relaxed) {
            guard MonotonicTime.now() >= next else {
                usleep(20_000)
                continue
            }
            let begun = MonotonicTime.now()
            do {
                try renew(from: begun)
                next = begun + interval
            } catch {
                if let failure = error as? JournalFailure { return giveUp(failure) }
                guard !isEnding.load(ordering: .relaxed) else { return }
                connection = nil
                guard isValid else { return giveUp(expiry(error)) }
                next = MonotonicTime.now() + min(interval, 100_000_000)
            }
        }
    }

    private func renew(from begun: Int64) throws {
        let waiting: PostgreSQLConnection.Waiting = { [self] _ throws(PostgreSQLError) in
            guard isValid, !isEnding.load(ordering: .relaxed) else {
                throw PostgreSQLError(.abandoned, "the database does not answer")
            }
        }
        let connection = try self.connection ?? database.connect(for: .leading, whileWaiting: waiting)
        self.connection = connection
        let rows = try connection.run(
            PostgreSQLStatement(
                "UPDATE leader SET beat = beat + 1 WHERE instance = $1 RETURNING beat",
                [.text(database.instance)]
            ),
            whileWaiting: waiting
        )
        guard rows.count == 1 else { throw Self.superseded(database.address) }
        // Too late is too late: somebody may have begun to take over.
        guard isValid else { throw PostgreSQLError(.abandoned, "the database was too slow") }
        validUntil.store(begun + duration.nanoseconds, ordering: .relaxed)
    }

    private func giveUp(_ failure: JournalFailure) {
        lose()
        fail?(failure)
    }

    private func expiry(_ error: any Error) -> JournalFailure {
        JournalFailure(
            .unreachable,
            """
            the journal in \(database.address.shown) could not be reached for \(duration.nanoseconds / 1_000_000) ms, so that \
            another broker may lead now: \(error)
            """
        )
    }

    static func superseded(_ address: PostgreSQLAddress) -> JournalFailure {
        JournalFailure(.superseded, "another broker has taken over the journal in \(address.shown)")
    }
}

private func leaseThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<LeaderLease>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
