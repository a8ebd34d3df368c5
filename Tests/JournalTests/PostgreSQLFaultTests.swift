import Brokering
import Journal
import PostgreSQL
import PostgreSQLServer
import ServingModel
import Synchronization
import Testing

@testable import Journal

@Suite("A journal whose database fails", .serialized)
struct PostgreSQLFaultTests {
    private static func journal(_ address: String, stallAfter: Interval = .seconds(1)) throws -> PostgreSQLJournal {
        var configuration = JournalConfiguration()
        configuration.lease = .seconds(120)
        configuration.stallAfter = stallAfter
        return PostgreSQLJournal(try PostgreSQLAddress(address), configuration: configuration) { Samples.start }
    }

    /// Opens the journal once more: it must have just these records.
    private static func check(_ address: String, has records: [JournalRecord]) throws {
        let journal = try journal(address)
        let recovery = try journal.recover()
        #expect(recovery == JournalImage(of: records).recovery(epoch: recovery.epoch))
        let listener = Listener()
        journal.start(listener.handle)
        let image = JournalImage(of: records)
        let queries = records.compactMap { if case .accepted(let query) = $0 { query.id } else { nil } }
        for (ticket, id) in queries.enumerated() { journal.lookUp(.query(id), ticket: UInt64(ticket)) }
        journal.close()
        for (ticket, id) in queries.enumerated() {
            #expect(listener.found(UInt64(ticket)) == .some(image.find(.query(id))))
        }
    }

    @Test("An answer that is lost on its way is asked for again: what was committed is not written twice")
    func lostAnswers() throws {
        let server = PostgreSQLServer.shared
        let thief = ReplyThief(before: server)
        defer { thief.close() }
        let schema = "stolen_\(UInt32.random(in: .min ... .max))"
        let journal = try Self.journal(server.address(schema: schema, through: thief.directory))
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        var stream = RecordStream(seed: 9)
        var records: [JournalRecord] = []
        for round in 0..<20 {
            let group = stream.records(5)
            records += group
            if round.isMultiple(of: 2) { thief.arm() }
            journal.append(group)
            listener.waitUntilDurable(UInt64(records.count))
        }
        journal.close()
        #expect(listener.failures.isEmpty)
        #expect(thief.thefts >= 9)
        try Self.check(server.address(schema: schema), has: records)
    }

    @Test("A server that is killed again and again under load loses nothing that was durable, and nothing that waits")
    func kills() throws {
        let server = PostgreSQLServer()
        let address = server.address()
        let journal = try Self.journal(address)
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        var stream = RecordStream(seed: 4)
        var records: [JournalRecord] = []
        for _ in 0..<3 {
            for _ in 0..<30 {
                let group = stream.records(4)
                records += group
                journal.append(group)
            }
            server.kill()
            journal.append([])
            server.start()
            listener.waitUntilDurable(UInt64(records.count))
        }
        server.restart()
        let group = stream.records(4)
        records += group
        journal.append(group)
        listener.waitUntilDurable(UInt64(records.count))
        journal.close()
        #expect(listener.failures.isEmpty)
        try Self.check(address, has: records)
    }

    @Test("A server that stands still is told, and so is that it goes on; nothing is durable meanwhile")
    func stall() throws {
        let server = PostgreSQLServer()
        let address = server.address()
        let journal = try Self.journal(address, stallAfter: .seconds(2))
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        journal.append([.accepted(Samples.query(1))])
        listener.waitUntilDurable(1)
        server.pause()
        journal.append([.accepted(Samples.query(2))])
        listener.waitForStall()
        #expect(listener.stalls.first??.kind == .unreachable)
        #expect(listener.durable == 1)
        server.resume()
        listener.waitUntilDurable(2)
        journal.close()
        #expect(listener.stalls.count == 2)
        #expect(listener.stalls.last == .some(nil))
        #expect(listener.failures.isEmpty)
    }

    @Test("A leader that cannot renew its lease stops, though it does not know of any other")
    func expiry() throws {
        let server = PostgreSQLServer()
        var configuration = JournalConfiguration()
        configuration.lease = .seconds(5)
        let journal = PostgreSQLJournal(
            try PostgreSQLAddress(server.address()),
            configuration: configuration
        ) { Samples.start }
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        #expect(journal.mayAct)
        server.pause()
        journal.append([.accepted(Samples.query(1))])
        listener.waitForFailure()
        #expect(listener.failures.map(\.kind) == [.unreachable])
        #expect(!journal.mayAct)
        server.resume()
        journal.close()
        #expect(listener.durable == 0)
    }

    @Test("Of brokers that come to an empty database at once, one makes the tables and one leads", arguments: 0..<6)
    func race(round: Int) throws {
        let address = PostgreSQLServer.shared.address()
        let outcomes = Mutex<[Result<UInt32, JournalFailure>]>([])
        let done = Listener()
        let handle = done.handle
        let journals = try (0..<4).map { _ in
            var configuration = JournalConfiguration()
            configuration.lease = .seconds(5)
            return PostgreSQLJournal(try PostgreSQLAddress(address), configuration: configuration) { Samples.start }
        }
        for journal in journals {
            onThread {
                let result = Result { () throws(JournalFailure) in try journal.recover().epoch }
                let count = outcomes.withLock { outcomes in
                    outcomes.append(result)
                    return outcomes.count
                }
                handle(.durable(through: UInt64(count), took: .zero))
            }
        }
        done.waitUntilDurable(4)
        let all = outcomes.withLock { $0 }
        #expect(all.count { (try? $0.get()) != nil } == 1, "\(all)")
        for case .failure(let failure) in all { #expect(failure.kind == .inUse, "\(failure)") }
        for journal in journals { journal.close() }
    }

    @Test("One of two that stand by leads when the leader ends, and then the other; every epoch is a new one")
    func succession() throws {
        let server = PostgreSQLServer.shared
        let address = server.address()
        let first = try Self.journal(address)
        let epoch = try first.recover().epoch
        let second = try Self.journal(address)
        let told = Mutex<[String]>([])
        let outcome = Mutex<Result<Recovery, JournalFailure>?>(nil)
        let done = Listener()
        let handle = done.handle
        onThread {
            let result = Result { () throws(JournalFailure) in
                try second.standBy { line in
                    told.withLock { $0.append(line) }
                    handle(.durable(through: 1, took: .zero))
                }
            }
            outcome.withLock { $0 = result }
            handle(.durable(through: 2, took: .zero))
        }
        done.waitUntilDurable(1)
        #expect(told.withLock { $0.first }?.hasSuffix("leads") == true)
        let listener = Listener()
        first.start(listener.handle)
        first.append([.accepted(Samples.query(1))])
        first.close()
        #expect(listener.durable == 1)
        done.waitUntilDurable(2)
        let recovery = try #require(try outcome.withLock { try $0?.get() })
        #expect(recovery.epoch > epoch)
        #expect(recovery.queries.map(\.accepted) == [Samples.query(1)])
        let third = try Self.journal(address)
        third.giveUp()
        #expect(throws: JournalFailure.self) { try third.standBy { _ in } }
        second.close()
    }
}
