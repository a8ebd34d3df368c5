internal import Brokering
internal import GRDB
internal import GRDBSQLite
internal import Glibc
internal import ServingModel

/// An open journal: its lock, its connection and what was counted.
///
/// Belongs to one thread at a time.
final class JournalStore: JournalGroupStore {
    let file: JournalFile
    let configuration: JournalConfiguration
    let connection: DatabaseQueue
    private let lock: CInt
    /// Pages in the write-ahead log, as of the last commit.
    private let logPages = UnsafeMutablePointer<CInt>.allocate(capacity: 1)
    /// The same, when the mover was asked last.
    private var askedAt: CInt = 0
    /// From when the journal's thread starts.
    private var mover: LogMover?
    var endedQueries = 0
    private var checkpointed: Set<QueryNumber> = []
    /// When what is beyond retention is looked for again.
    var nextPruning = UnixTime(milliseconds: .min)

    /// - Parameters:
    ///   - file: checked and of this version.
    ///   - lock: of its directory, given back at the end.
    init(_ file: JournalFile, _ configuration: JournalConfiguration, _ connection: DatabaseQueue, lock: CInt) {
        self.file = file
        self.configuration = configuration
        self.connection = connection
        self.lock = lock
        logPages.initialize(to: 0)
        let pages = logPages
        connection.unsafeReentrantRead { Self.watchLog($0, pages) }
    }

    /// Begins the epoch after the last and reads what is unfinished.
    func recover(at time: UnixTime) throws -> Recovery {
        let epoch = try connection.inDatabase { database in
            let epoch = UInt32.next(after: try JournalReader(database: database).previousEpoch(), at: time)
            try database.inTransaction(.immediate) {
                try database.execute(
                    sql: "UPDATE broker SET epoch = ?, opened_ms = ?",
                    arguments: [epoch, time.milliseconds]
                )
                return .commit
            }
            return epoch
        }
        return try connection.read { database in
            let reader = JournalReader(database: database)
            endedQueries = try reader.endedQueries()
            checkpointed = try reader.checkpointedQueries()
            return try reader.recovery(epoch: epoch)
        }
    }

    /// Writes `records` in one transaction; they are durable when this returns.
    func commit(_ records: [JournalRecord]) throws(JournalFailure) {
        do {
            try connection.inDatabase { database in
                var ended = 0
                try database.inTransaction(.immediate) {
                    var writer = JournalWriter(database: database, checkpointed: checkpointed)
                    // There is one of it, so that nothing is copied.
                    checkpointed = []
                    for record in records.lasting { ended += try writer.write(record) }
                    checkpointed = writer.checkpointed
                    return .commit
                }
                endedQueries += ended
            }
        } catch {
            throw JournalFailure(error, "writing", file.directory.database)
        }
    }

    func lookUp(_ lookups: [JournalLookup]) throws(JournalFailure) -> [KeptResult?] {
        do {
            return try connection.read { database in
                try lookups.map { try JournalReader(database: database).lookUp($0) }
            }
        } catch {
            throw JournalFailure(error, "reading", file.directory.database)
        }
    }

    func tidy(at time: UnixTime) throws(JournalFailure) -> Bool {
        let hasMore = try prune(at: time)
        try moveLog()
        return hasMore
    }

    /// - Parameter fail: told, on the mover's thread, that a write or sync failed.
    func startMover(_ fail: @escaping @Sendable (JournalFailure) -> Void) {
        let mover = LogMover(file, fail: fail)
        mover.start()
        self.mover = mover
    }

    /// Lets the write-ahead log be emptied before it grows too long.
    ///
    /// `mover` does it beside the commits. As the log can only begin anew when nothing is left in it, and commits go
    /// on, what a long log has left is moved here in the end: little, as the mover has just been through.
    private func moveLog() throws(JournalFailure) {
        guard let mover, logPages.pointee >= configuration.logPages else { return }
        guard logPages.pointee >= configuration.maxLogPages else {
            // Another pass is worth its syncs when as much has come again.
            if logPages.pointee < askedAt || logPages.pointee >= askedAt + configuration.logPages {
                askedAt = logPages.pointee
                mover.request()
            }
            return
        }
        mover.wait()
        do {
            try connection.writeWithoutTransaction { try $0.moveLog("PASSIVE") }
        } catch {
            throw JournalFailure(error, "writing", file.directory.database)
        }
    }

    /// Ends in good order, with an empty log.
    ///
    /// Everything is durable before, so if that fails, only the next opening has more to do.
    func close() {
        mover?.stop()
        do {
            try connection.writeWithoutTransaction { try $0.moveLog("TRUNCATE") }
            try connection.close()
            giveBackLock()
        } catch {
            abandon()
        }
    }

    /// Ends without another write.
    ///
    /// Closing the connection would move the log's content into the database, after a sync of the log that may succeed
    /// this time although the kernel has dropped what it could not write. So the connection stays open until the
    /// process ends.
    func abandon() {
        mover?.stop()
        _ = Unmanaged.passRetained(connection)
        giveBackLock()
    }

    private func giveBackLock() {
        JournalDirectory.unlock(lock)
    }

    private static func watchLog(_ database: Database, _ pages: UnsafeMutablePointer<CInt>) {
        let note: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, CInt) -> CInt = {
            $0?.assumingMemoryBound(to: CInt.self).pointee = $3
            return SQLITE_OK
        }
        sqlite3_wal_hook(database.sqliteConnection, note, pages)
    }
}
