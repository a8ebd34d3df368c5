internal import Brokering
internal import GRDB
internal import Glibc
internal import ServingModel

extension JournalStore {
    /// Opens what is in the directory, or makes it, and begins the next epoch.
    ///
    /// A damaged journal is refused, or, if the configuration accepts the loss, moved aside; what can be read of it is
    /// then carried over.
    static func open(
        _ file: JournalFile,
        _ configuration: JournalConfiguration,
        at time: UnixTime
    ) throws(JournalFailure) -> (store: JournalStore, recovery: Recovery) {
        let lock = try file.directory.open()
        do {
            do {
                return try open(file, configuration, lock, at: time)
            } catch let failure as JournalFailure where failure.kind == .damaged {
                guard configuration.acceptsLoss else { throw JournalSalvage(file).explain(failure) }
                return try replaceDamaged(file, configuration, lock, at: time)
            }
        } catch {
            JournalDirectory.unlock(lock)
            throw JournalFailure(error, "opening", file.directory.database)
        }
    }

    private static func open(
        _ file: JournalFile,
        _ configuration: JournalConfiguration,
        _ lock: CInt,
        at time: UnixTime
    ) throws -> (store: JournalStore, recovery: Recovery) {
        var store: JournalStore?
        do {
            try inspect(file)
            let connection = try connectToWrite(file)
            let opened = JournalStore(file, configuration, connection, lock: lock)
            store = opened
            return (opened, try opened.recover(at: time))
        } catch {
            try? store?.connection.close()
            throw JournalFailure(error, "opening", file.directory.database)
        }
    }

    /// Refuses what can't be trusted, without changing it.
    private static func inspect(_ file: JournalFile) throws {
        try LogInspection(directory: file.directory).check()
        do {
            let connection = try file.connectToRead()
            try connection.read { database in
                let inspection = JournalInspection(database: database)
                try inspection.checkKind()
                guard try !JournalSchema.migrator.hasBeenSuperseded(database) else {
                    throw JournalFailure(
                        .newerVersion,
                        "the journal \(file.directory.database) was written by a later version of aladdin; start that one"
                    )
                }
                try inspection.check()
            }
            try connection.close()
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
            // It was being made when its broker ended; what there was is undone by whoever opens it to write.
        }
    }

    private static func connectToWrite(_ file: JournalFile) throws -> DatabaseQueue {
        do {
            let connection = try file.connect()
            try prepare(connection)
            return connection
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY && file.directory.isWritable {
            throw RowDamage("its header says that it may only be read")
        }
    }

    /// Brings the database up to this version.
    private static func prepare(_ connection: DatabaseQueue) throws {
        try connection.writeWithoutTransaction { database in
            // After a failed sync the kernel may hold pages of the log that it takes for written and that are not on
            // the disk. Moving them into the database writes and syncs them anew, before anybody relies on them.
            try database.moveLog("TRUNCATE")
            // Before any table, so that one that was left half made is known for ours.
            try database.execute(sql: "PRAGMA application_id = \(JournalSchema.applicationID)")
        }
        try JournalSchema.migrator.migrate(connection)
    }

    private static func replaceDamaged(
        _ file: JournalFile,
        _ configuration: JournalConfiguration,
        _ lock: CInt,
        at time: UnixTime
    ) throws -> (store: JournalStore, recovery: Recovery) {
        let damaged = try file.directory.setAside("damaged-\(time.milliseconds)")
        try file.directory.makeDatabase()
        let (store, _) = try open(file, configuration, lock, at: time)
        do {
            var old = file
            old.directory = damaged
            let salvage = JournalSalvage(old)
            _ = salvage.read { try store.commit($0) }
            try store.raise(epoch: salvage.previousEpoch(), nextNumber: salvage.nextNumber())
            return (store, try store.recover(at: time))
        } catch {
            try? store.connection.close()
            throw error
        }
    }

    /// Takes over what must not be used again.
    private func raise(epoch: UInt32, nextNumber: QueryNumber) throws {
        try connection.write { database in
            try database.execute(
                sql: "UPDATE broker SET epoch = max(epoch, ?), next_number = max(next_number, ?)",
                arguments: [epoch, nextNumber.stored]
            )
        }
    }
}
