internal import GRDB

/// Whether a database can be trusted as a journal.
struct JournalInspection {
    let database: Database

    /// - Throws: `RowDamage` if it is a database of something else.
    func checkKind() throws {
        let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
        let application = try Int.fetchOne(database, sql: "PRAGMA application_id")
        guard isEmpty || application == JournalSchema.applicationID else {
            throw RowDamage("it is a database of some other program")
        }
    }

    /// Reads all of it: pages, their order, types, and that every row has what it refers to.
    ///
    /// Indexes are compared with their tables, which takes most of the time: an idempotency key that the index has lost
    /// would be taken for new.
    ///
    /// - Throws: `RowDamage`, or SQLite's error.
    func check() throws {
        if let problem = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)"), problem != "ok" {
            throw RowDamage("SQLite's check says: \(problem)")
        }
        if let row = try Row.fetchOne(database, sql: "PRAGMA foreign_key_check") {
            throw RowDamage("rows of '\(row["table"] as String? ?? "")' belong to queries that are not there")
        }
    }
}
