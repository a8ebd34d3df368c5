internal import Foundation
internal import GRDB
internal import ServingModel

/// How a journal's database is opened.
struct JournalFile {
    var directory: JournalDirectory
    /// SQLite's name of what stands between it and the disk, where tests put faults; nil is the usual one.
    var fileSystem: String?
    /// What tests weaken to see that it is needed.
    var synchronous = "EXTRA"

    /// A connection that writes.
    ///
    /// - Parameter isFurther: whether there is one already. A further one must not take the lock for writing while it opens:
    ///   the first may hold it for as long as a large commit takes.
    func connect(isFurther: Bool = false) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "journal"
        // Operators may read at any time; a checkpoint or a reader's recovery then holds a lock for a moment.
        configuration.busyMode = .timeout(10)
        let synchronous = synchronous
        configuration.prepareDatabase { database in
            // Before the first table, or never; it takes the lock for writing even where it changes nothing.
            if !isFurther { try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
            // Every commit is synced. EXTRA differs from FULL once: a new database is made with the help of a rollback
            // journal, which must not come back after a power failure.
            try database.execute(sql: "PRAGMA synchronous = \(synchronous)")
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else { throw RowDamage("its file system can't have a write-ahead log") }
            // Checkpoints are ours: SQLite's own would hide a failed sync.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            // What was deleted is overwritten where that costs no write of its own.
            try database.execute(sql: "PRAGMA secure_delete = FAST")
            try database.execute(sql: "PRAGMA cache_size = -16384")
        }
        return try DatabaseQueue(path: address, configuration: configuration)
    }

    /// A connection that only reads; also of a journal that a broker has open.
    func connectToRead() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "journal-reader"
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        return try DatabaseQueue(path: address, configuration: configuration)
    }

    private var address: String {
        guard let fileSystem else { return directory.database }
        let path = directory.database.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? ""
        return "file:\(path)?vfs=\(fileSystem)"
    }
}

extension Database {
    /// Moves the write-ahead log's content into the database, as far as readers allow.
    ///
    /// - Parameter mode: PASSIVE waits for nobody; TRUNCATE waits and leaves an empty log.
    func moveLog(_ mode: String) throws {
        try execute(sql: "PRAGMA wal_checkpoint(\(mode))")
    }
}
