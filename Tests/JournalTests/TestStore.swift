import GRDB
import Journal
import PostgreSQL
import PostgreSQLServer
import ServingModel
import Testing

@testable import Journal

/// Where a journal of a test may be: every promise of a journal holds in both.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite = "SQLite"
    case postgreSQL = "PostgreSQL"

    var testDescription: String { rawValue }
}

/// A place of the test's own for journals that are opened one after the other.
struct TestStore {
    let kind: StoreKind
    let disk = UnsyncedDisk()
    let address: String

    init(_ kind: StoreKind) {
        self.kind = kind
        address = kind == .postgreSQL ? PostgreSQLServer.shared.address() : ""
    }

    func journal(
        _ configuration: JournalConfiguration = JournalConfiguration(),
        now: @escaping @Sendable () -> UnixTime = { Samples.start }
    ) throws -> any Journal {
        switch kind {
        case .sqlite:
            var file = JournalFile(directory: JournalDirectory(path: disk.directory.journal))
            file.fileSystem = disk.name
            return SQLiteJournal(file: file, configuration, now: now)
        case .postgreSQL:
            return PostgreSQLJournal(
                try PostgreSQLAddress(address),
                name: "test",
                configuration: configuration,
                now: now
            )
        }
    }

    /// The first column of what a query brings, while nobody has the journal open.
    func integers(_ sql: String) throws -> [Int64] {
        switch kind {
        case .sqlite:
            let queue = try JournalFile(directory: JournalDirectory(path: disk.directory.journal)).connectToRead()
            defer { try? queue.close() }
            return try queue.read { try Int64.fetchAll($0, sql: sql) }
        case .postgreSQL:
            let rows = try run(sql)
            return (0..<rows.count).compactMap { row in
                if case .integer(let number) = rows.value(row, 0) { number } else { nil }
            }
        }
    }

    /// Runs a statement beside the journal, in PostgreSQL.
    @discardableResult
    func run(_ sql: String) throws -> PostgreSQLRows {
        let database = PostgreSQLDatabase(address: try PostgreSQLAddress(address), instance: "test")
        let connection = try database.connect(for: .reading) { _ in }
        return try connection.run(PostgreSQLStatement(sql)) { _ in }
    }
}
