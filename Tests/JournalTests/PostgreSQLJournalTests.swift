import Brokering
import Foundation
import Journal
import PostgreSQL
import PostgreSQLServer
import ServingModel
import Testing

@testable import Journal

@Suite("A journal in PostgreSQL and its lead")
struct PostgreSQLJournalTests {
    private let store = TestStore(.postgreSQL)

    private func journal(_ address: String? = nil, lease: Interval = .seconds(20)) throws -> PostgreSQLJournal {
        var configuration = JournalConfiguration()
        configuration.lease = lease
        let address = try PostgreSQLAddress(address ?? store.address)
        return PostgreSQLJournal(address, name: "first", configuration: configuration) { Samples.start }
    }

    private func failure(_ address: String) -> JournalFailure? {
        #expect(throws: JournalFailure.self) { try journal(address).recover() }
    }

    @Test("A second broker is told who leads; when that one has closed, it leads in the next epoch")
    func inUse() throws {
        let first = try journal(lease: .seconds(5))
        #expect(try first.recover().epoch == 1_790_000_000)
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .inUse)
        #expect(error?.message.contains("in use by another broker (first)") == true)
        #expect(first.mayAct)
        first.close()
        #expect(!first.mayAct)
        let next = try journal()
        #expect(try next.recover().epoch == 1_790_000_001)
        next.close()
    }

    @Test("What cannot be used says what is wrong: nobody there, another password, no such database, a later version")
    func failures() throws {
        let server = PostgreSQLServer.shared.directory.replacing("/", with: "%2F")
        let nobody = failure("postgres://aladdin@127.0.0.1:1/journals")
        #expect(nobody?.kind == .unreachable)
        #expect(nobody?.message.contains("is the server running, and does it listen there?") == true)
        // From an earlier run of the same process.
        try store.run("DROP ROLE IF EXISTS guarded")
        try store.run("DROP DATABASE IF EXISTS latin")
        try store.run("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        let denied = failure("postgres://guarded:wrong@\(server)/journals")
        #expect(denied?.kind == .inputOutput)
        #expect(denied?.message.contains("check the password: PGPASSFILE") == true)
        #expect(denied?.message.contains("wrong") == false)
        let missing = failure("postgres://aladdin@\(server)/nothing")
        #expect(missing?.message.contains("make it with createdb") == true)
        try store.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        #expect(failure("postgres://aladdin@\(server)/latin")?.message.contains("encoding UTF8") == true)
        let powerless = failure("postgres://guarded:right@\(server)/journals?schema=forbidden")
        #expect(powerless?.message.contains("the right to create schema forbidden") == true)
        let journal = try journal()
        _ = try journal.recover()
        journal.close()
        try store.run("UPDATE schema_version SET version = 99")
        #expect(failure(store.address)?.kind == .newerVersion)
    }

    @Test("Without the fence, a broker that was overtaken would go on writing, and these tests see it")
    func negativeControl() throws {
        let old = try journal()
        _ = try old.recover()
        let listener = Listener()
        old.start(listener.handle)
        let schema = try PostgreSQLAddress(store.address).schema
        try store.run(
            """
            CREATE OR REPLACE FUNCTION \(schema).advance(of_epoch bigint, from_records bigint, to_records bigint)
            RETURNS void LANGUAGE sql AS 'SELECT'
            """
        )
        try store.run("UPDATE broker SET epoch = epoch + 5, records = 0")
        old.append([.accepted(Samples.query(2))])
        listener.waitUntilDurable(1)
        #expect(listener.failures.isEmpty)
        #expect(try store.integers("SELECT number FROM query") == [2])
        old.close()
    }

    @Test("Nothing of a broker that was overtaken is written, and it is told so; the next one goes on without it")
    func fencing() throws {
        let old = try journal()
        _ = try old.recover()
        let listener = Listener()
        old.start(listener.handle)
        old.append([.accepted(Samples.query(1))])
        listener.waitUntilDurable(1)
        // As another broker takes over, while this one hears nothing of it.
        try store.run("UPDATE broker SET epoch = epoch + 5, records = 0")
        old.append([.accepted(Samples.query(2))])
        listener.waitForFailure()
        #expect(listener.failures.map(\.kind) == [.superseded])
        #expect(listener.durable == 1)
        #expect(!old.mayAct)
        old.append([.accepted(Samples.query(3))])
        old.close()
        #expect(try store.integers("SELECT number FROM query") == [1])
        let next = try journal()
        #expect(try next.recover().queries.map(\.accepted) == [Samples.query(1)])
        next.close()
    }

    @Test("A lead that is gone from its row is lost at the next beat")
    func lostRow() throws {
        let old = try journal(lease: .seconds(5))
        _ = try old.recover()
        let listener = Listener()
        old.start(listener.handle)
        try store.run("UPDATE leader SET instance = 'another'")
        old.lookUp(.query(Samples.query(1).id), ticket: 1)
        _ = listener.waitUntilFound(1)
        listener.waitForFailure()
        #expect(listener.failures.map(\.kind) == [.superseded])
        old.close()
    }

    @Test("A lost session is made anew, and what waited is written once")
    func lostSession() throws {
        let journal = try journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        var stream = RecordStream(seed: 5)
        var records: [JournalRecord] = []
        for _ in 0..<12 {
            let group = stream.records(7)
            records += group
            try store.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity, leader
                WHERE application_name = 'aladdin leader ' || instance
                """
            )
            journal.append(group)
            listener.waitUntilDurable(UInt64(records.count))
        }
        journal.close()
        #expect(listener.failures.isEmpty)
        let next = try self.journal()
        let recovery = try next.recover()
        next.close()
        #expect(recovery == JournalImage(of: records).recovery(epoch: recovery.epoch))
    }

    @Test("The past is read as from SQLite, while a broker has the journal open")
    func history() throws {
        #expect(throws: JournalFailure.self) { try JournalHistory.queries(in: store.address) }
        let sqlite = TestStore(.sqlite)
        var stream = RecordStream(seed: 21)
        let records = stream.records(300)
        let journals = [try sqlite.journal(), try journal()]
        for journal in journals {
            _ = try journal.recover()
            let listener = Listener()
            journal.start(listener.handle)
            journal.append(records)
            listener.waitUntilDurable(300)
        }
        let past = try JournalHistory.queries(in: store.address)
        #expect(past.count > 20)
        for journal in journals { journal.close() }
        #expect(try JournalHistory.queries(in: sqlite.disk.directory.journal) == past)
        #expect(throws: JournalFailure.self) { try JournalHistory.queries(in: "postgres://me@127.0.0.1:1/x") }
    }

    @Test("A damaged value is told as lost if it is a result, and refused if it is of an unfinished query")
    func damage() throws {
        let journal = try journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        let (ended, open) = (Samples.query(1), Samples.query(2))
        journal.append([.accepted(ended), .ended(ended.number, Samples.end(1)), .accepted(open)])
        listener.waitUntilDurable(3)
        try store.run("UPDATE result SET text = 'other'")
        journal.lookUp(.query(ended.id), ticket: 1)
        #expect(listener.waitUntilFound(1)?.end.code == .dataLoss)
        journal.close()
        try store.run("UPDATE request SET bytes = 'other'")
        let error = failure(store.address)
        #expect(error?.kind == .damaged)
        #expect(error?.message.contains("the request of query \(open.id) is not what was written") == true)
    }
}
