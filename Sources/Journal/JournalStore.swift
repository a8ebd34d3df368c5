internal import Brokering
internal import GRDB
internal import GRDBSQLite
internal import Glibc
internal import ServingModel

/// An open journal: its lock, its connection and what was counted.
///
/// Belongs to one thread at a time.
final class JournalStore {
    let file: JournalFile
    let configuration: JournalConfiguration
    private let lock: CInt
    private let connection: DatabaseQueue
    /// Pages in the write-ahead log, as of the last commit.
    private let logPages = UnsafeMutablePointer<CInt>.allocate(capacity: 1)
    private(set) var endedQueries = 0

    /// Opens what is there, or makes it, and brings it up to this version.
    init(_ file: JournalFile, _ configuration: JournalConfiguration) throws(JournalFailure) {
        self.file = file
        self.configuration = configuration
        lock = try file.directory.open()
        logPages.initialize(to: 0)
        do {
            connection = try file.connect()
            try Self.prepare(connection)
            let pages = logPages
            connection.unsafeReentrantRead { database in Self.watchLog(database, pages) }
        } catch {
            Glibc.close(lock)
            logPages.deallocate()
            throw JournalFailure(error, "opening", file.directory.database)
        }
    }

    /// Begins the epoch after the last and reads what is unfinished.
    func recover(at time: UnixTime) throws(JournalFailure) -> Recovery {
        do {
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
                return try reader.recovery(epoch: epoch)
            }
        } catch {
            throw JournalFailure(error, "reading", file.directory.database)
        }
    }

    /// Writes `records` in one transaction; they are durable when this returns.
    func commit(_ records: [JournalRecord]) throws(JournalFailure) {
        do {
            try connection.inDatabase { database in
                var ended = 0
                try database.inTransaction(.immediate) {
                    let writer = JournalWriter(database: database)
                    for record in records { ended += try writer.write(record) }
                    return .commit
                }
                endedQueries += ended
                if logPages.pointee >= 1000 { try database.moveLog("PASSIVE") }
            }
        } catch {
            throw JournalFailure(error, "writing", file.directory.database)
        }
    }

    func lookUp(_ lookup: JournalLookup) throws(JournalFailure) -> KeptResult? {
        do {
            return try connection.read { try JournalReader(database: $0).lookUp(lookup) }
        } catch {
            throw JournalFailure(error, "reading", file.directory.database)
        }
    }

    /// Ends in good order, with an empty log.
    ///
    /// Everything is durable before, so if that fails, only the next opening has more to do.
    func close() {
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
        _ = Unmanaged.passRetained(connection)
        giveBackLock()
    }

    private func giveBackLock() {
        Glibc.close(lock)
    }

    private static func prepare(_ connection: DatabaseQueue) throws {
        let migrator = JournalSchema.migrator
        // After a failed sync the kernel may hold pages of the log that it takes for written and that are not on the
        // disk. Moving them into the database writes and syncs them anew, before anybody relies on them.
        try connection.writeWithoutTransaction { try $0.moveLog("TRUNCATE") }
        guard try !connection.read(migrator.hasBeenSuperseded) else {
            throw JournalFailure(
                .newerVersion,
                "the journal \(connection.path) was written by a later version of aladdin; start that one"
            )
        }
        try migrator.migrate(connection)
    }

    private static func watchLog(_ database: Database, _ pages: UnsafeMutablePointer<CInt>) {
        let note: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, CInt) -> CInt = {
            $0?.assumingMemoryBound(to: CInt.self).pointee = $3
            return SQLITE_OK
        }
        sqlite3_wal_hook(database.sqliteConnection, note, pages)
    }
}
