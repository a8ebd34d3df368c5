import Brokering
import Foundation
import Journal
import ServingModel
import Testing

@Suite("The journal")
struct JournalTests {
    private let directory = TemporaryDirectory()

    private func journal() -> SQLiteJournal {
        SQLiteJournal(directory: directory.journal) { Samples.start }
    }

    @Test(
        "A new journal has nothing unfinished and an epoch of the wall clock's seconds",
        arguments: StoreKind.allCases
    )
    func new(kind: StoreKind) throws {
        let store = TestStore(kind)
        let journal = try store.journal()
        let recovery = try journal.recover()
        #expect(recovery == Recovery(epoch: 1_790_000_000, nextNumber: QueryNumber(rawValue: 1)))
        journal.close()
    }

    @Test(
        "A query that begins and ends in one group leaves its result and nothing else, and all its records count",
        arguments: StoreKind.allCases
    )
    func wholeLife(kind: StoreKind) throws {
        let store = TestStore(kind)
        let journal = try store.journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        let (query, other) = (Samples.query(3, durability: .stream), Samples.query(5, durability: .stream))
        let failure = Samples.failure(attempt: 1)
        journal.append([
            .accepted(query), .accepted(other), .leased(query.number, attempt: 1, Lease(rawValue: 6)),
            .checkpoint(query.number, Samples.part(0)), .checkpoint(other.number, Samples.part(0)),
            .retried(query.number, attempt: 2, failure), .reset(query.number),
            .leased(query.number, attempt: 2, Lease(rawValue: 7)),
            .leased(other.number, attempt: 1, Lease(rawValue: 8)),
            .ended(query.number, Samples.end(3)),
        ])
        journal.lookUp(.query(query.id), ticket: 1)
        listener.waitUntilDurable(10)
        journal.close()
        var kept = query
        kept.request = []
        #expect(
            listener.found(1) == .some(.some(KeptResult(accepted: kept, end: Samples.end(3), failures: [failure])))
        )
        #expect(try store.integers("SELECT count(*) FROM checkpoint") == [1])
        let recovered = try store.journal()
        let queries = try recovered.recover().queries
        recovered.close()
        #expect(queries.map(\.accepted) == [other])
        #expect(queries.first?.wasLeased == true && queries.first?.output == Samples.part(0))
    }

    @Test(
        "An accepted query comes back with every field, and so do its attempts and checkpoints",
        arguments: StoreKind.allCases
    )
    func recovery(kind: StoreKind) throws {
        let store = TestStore(kind)
        let journal = try store.journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        let query = Samples.query(3, durability: .stream, key: "mine")
        journal.append([
            .accepted(query), .leased(query.number, attempt: 1, Lease(rawValue: .max)),
            .checkpoint(query.number, Samples.part(0)), .checkpoint(query.number, Samples.part(4, count: 2)),
            .retried(query.number, attempt: 2, Samples.failure(attempt: 1)),
            .resumed(query.number, attempt: 3, restarts: 1),
            .leased(query.number, attempt: 3, Lease(rawValue: 7)),
        ])
        listener.waitUntilDurable(7)
        #expect(listener.durable == 7)
        journal.close()

        let again = try store.journal()
        let recovered = try again.recover()
        again.close()
        #expect(recovered.epoch == 1_790_000_001)
        #expect(recovered.nextNumber == QueryNumber(rawValue: 4))
        #expect(recovered.models == ["aladdin-tiny"])
        #expect(recovered.keys == [IdempotencyKey(owner: "tenant-0", key: "mine").fingerprint])
        let expected = RecoveredQuery(
            accepted: query,
            attempt: 3,
            wasLeased: true,
            restarts: 1,
            failures: [Samples.failure(attempt: 1)],
            output: OutputPart(joining: [Samples.part(0), Samples.part(4, count: 2)])
        )
        #expect(recovered.queries == [expected])
        #expect(expected.output?.count == 6)
    }

    @Test(
        "An ended query keeps its result, without its request, until it is acknowledged; then its key is free",
        arguments: StoreKind.allCases
    )
    func results(kind: StoreKind) throws {
        let store = TestStore(kind)
        let journal = try store.journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        let query = Samples.query(3, key: "mine")
        let end = Samples.end(3)
        let key = IdempotencyKey(owner: query.owner, key: "mine")
        journal.lookUp(.query(query.id), ticket: 1)
        journal.append([.accepted(query)])
        journal.lookUp(.query(query.id), ticket: 2)
        #expect(listener.waitUntilFound(2) == nil)
        #expect(listener.found(1) == .some(nil))
        journal.append([
            .retried(query.number, attempt: 2, Samples.failure(attempt: 1)), .ended(query.number, end),
            .ended(query.number, Samples.end(8)),
        ])
        journal.lookUp(.query(query.id), ticket: 3)
        journal.lookUp(.key(key), ticket: 4)
        var kept = query
        kept.request = []
        let result = KeptResult(accepted: kept, end: end, failures: [Samples.failure(attempt: 1)])
        #expect(listener.waitUntilFound(3) == result)
        #expect(listener.waitUntilFound(4) == result)
        journal.append([.acknowledged(query.number)])
        journal.lookUp(.query(query.id), ticket: 5)
        journal.lookUp(.key(key), ticket: 6)
        #expect(listener.waitUntilFound(5) == nil)
        #expect(listener.waitUntilFound(6) == nil)
        var heir = Samples.query(6, key: "mine")
        heir.owner = query.owner
        journal.append([.accepted(heir)])
        listener.waitUntilDurable(6)
        #expect(listener.failures.isEmpty)
        journal.close()
    }

    @Test(
        "A name that an ended query has is the next one's that brings it; an unfinished query keeps its own",
        arguments: StoreKind.allCases
    )
    func takenNames(kind: StoreKind) throws {
        let store = TestStore(kind)
        let journal = try store.journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        let first = Samples.query(3, key: "mine")
        var second = Samples.query(6, key: "mine")
        second.owner = first.owner
        journal.append([.accepted(first), .ended(first.number, Samples.end(3)), .accepted(second)])
        journal.append([.ended(second.number, Samples.end(6))])
        journal.lookUp(.key(IdempotencyKey(owner: first.owner, key: "mine")), ticket: 1)
        #expect(listener.waitUntilFound(1)?.accepted.number == second.number)
        journal.lookUp(.query(first.id), ticket: 2)
        #expect(listener.waitUntilFound(2)?.accepted.idempotencyKey == .some(nil))
        #expect(listener.failures.isEmpty)
        var third = Samples.query(9, key: "open")
        journal.append([.accepted(third)])
        third.number = QueryNumber(rawValue: 12)
        third.id = QueryID(high: 77, low: 77)
        journal.append([.accepted(third)])
        journal.close()
        #expect(listener.failures.count == 1, "two unfinished queries of one name are the broker's error")
    }

    @Test("A second broker is told who has the journal; when that one has closed, it may")
    func lock() throws {
        let journal = journal()
        _ = try journal.recover()
        let error = #expect(throws: JournalFailure.self) { try self.journal().recover() }
        #expect(error?.kind == .inUse)
        #expect(error?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        journal.close()
        let next = self.journal()
        #expect(try next.recover().epoch == 1_790_000_001)
        next.close()
    }

    @Test("Nobody but the owner may read its files, and a directory that others may read is refused")
    func permissions() throws {
        let journal = journal()
        _ = try journal.recover()
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.journal).sorted()
        #expect(files == ["journal.sqlite", "journal.sqlite-shm", "journal.sqlite-wal", "lock"])
        for file in files {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.journal + "/" + file)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }
        journal.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: directory.journal)
        let error = #expect(throws: JournalFailure.self) { try self.journal().recover() }
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("chmod 700") == true)
    }
}
