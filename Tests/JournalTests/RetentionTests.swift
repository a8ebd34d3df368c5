import Brokering
import Journal
import ServingModel
import Synchronization
import Testing

@testable import Journal

/// A wall clock that stands until it is moved.
private final class HandClock: Sendable {
    private let time = Mutex(Samples.start.milliseconds)

    var read: @Sendable () -> UnixTime { { [self] in UnixTime(milliseconds: time.withLock { $0 }) } }

    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1000 } }
}

@Suite("What a journal keeps")
struct RetentionTests {
    private let clock = HandClock()

    private func journal(
        in store: TestStore,
        _ configure: (inout JournalConfiguration) -> Void
    ) throws -> (any Journal, Listener) {
        var configuration = JournalConfiguration()
        configuration.pruneStep = 4
        configure(&configuration)
        let journal = try store.journal(configuration, now: clock.read)
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        return (journal, listener)
    }

    private func ended(_ numbers: ClosedRange<UInt64>, at time: UnixTime = Samples.start) -> [JournalRecord] {
        numbers.flatMap { number in
            let query = Samples.query(number, key: "key-\(number)")
            return [.accepted(query), .ended(query.number, Samples.end(number, at: time))] as [JournalRecord]
        }
    }

    /// The numbers kept after everything due was pruned.
    private func kept(_ journal: any Journal, in store: TestStore) throws -> [UInt64] {
        journal.close()
        for table in ["result", "request", "failure", "checkpoint"] {
            let orphans = "SELECT count(*) FROM \(table) WHERE query NOT IN (SELECT number FROM query)"
            #expect(try store.integers(orphans) == [0], "\(table)")
        }
        return try store.integers("SELECT number FROM query ORDER BY number").map(UInt64.init)
    }

    /// Rounds of the journal's thread, each with one step of pruning.
    private func turn(_ journal: any Journal, _ listener: Listener, rounds: Int, after last: UInt64 = 1000) {
        for round in 1...rounds {
            let ticket = last + UInt64(round)
            journal.lookUp(.key(IdempotencyKey(owner: "", key: "none")), ticket: ticket)
            _ = listener.waitUntilFound(ticket)
        }
    }

    @Test(
        "Ended queries go after their time, acknowledged or not; unfinished ones never do",
        arguments: StoreKind.allCases
    )
    func age(kind: StoreKind) throws {
        let store = TestStore(kind)
        let (journal, listener) = try journal(in: store) { $0.retention = .seconds(3600) }
        let old = Samples.query(20)
        journal.append([.accepted(old)])
        journal.append(ended(21...30))
        journal.append([.acknowledged(QueryNumber(rawValue: 22))])
        listener.waitUntilDurable(22)
        clock.advance(seconds: 1800)
        let later = UnixTime(milliseconds: Samples.start.milliseconds + 1_800_000)
        journal.append(ended(31...33, at: later))
        listener.waitUntilDurable(28)
        turn(journal, listener, rounds: 8)
        journal.lookUp(.query(Samples.query(21).id), ticket: 1)
        #expect(listener.waitUntilFound(1) != nil)
        clock.advance(seconds: 1801)
        turn(journal, listener, rounds: 8, after: 2000)
        journal.lookUp(.query(Samples.query(21).id), ticket: 2)
        #expect(listener.waitUntilFound(2) == nil)
        journal.lookUp(.key(IdempotencyKey(owner: "tenant-1", key: "key-31")), ticket: 3)
        #expect(listener.waitUntilFound(3) != nil)
        #expect(try kept(journal, in: store) == [20, 31, 32, 33])
    }

    @Test("Beyond the number of results, those go that ended first", arguments: StoreKind.allCases)
    func number(kind: StoreKind) throws {
        let store = TestStore(kind)
        let (journal, listener) = try journal(in: store) { $0.maxResults = 3 }
        for (offset, number) in [5, 6, 7, 8, 9, 10].enumerated() {
            // The last accepted ends first.
            let time = UnixTime(milliseconds: Samples.start.milliseconds - Int64(offset))
            journal.append(ended(UInt64(number)...UInt64(number), at: time))
        }
        listener.waitUntilDurable(12)
        clock.advance(seconds: 60)
        turn(journal, listener, rounds: 4)
        #expect(try kept(journal, in: store) == [5, 6, 7])
        // The highest number was dropped, and is not used again.
        let again = try store.journal()
        let recovery = try again.recover()
        again.close()
        #expect(recovery.nextNumber == QueryNumber(rawValue: 11))
        #expect(recovery.keys.count == 3)
    }

    @Test(
        "Beyond the number of bytes, results go; the unfinished stay, and the file shrinks",
        arguments: StoreKind.allCases
    )
    func bytes(kind: StoreKind) throws {
        let store = TestStore(kind)
        let (journal, listener) = try journal(in: store) { configuration in
            configuration.maxBytes = 4 << 20
            configuration.pruneStep = 64
        }
        let unfinished = (1...50).map { Samples.query($0, requestBytes: 20_000) }
        journal.append(unfinished.map { .accepted($0) })
        var records: [JournalRecord] = []
        for number in 51...450 as ClosedRange<UInt64> {
            var end = Samples.end(1)
            end.output.text = [UInt8](repeating: 0x61, count: 60_000)
            end.output.pieces = []
            records += [
                .accepted(Samples.query(number, requestBytes: 10)), .ended(QueryNumber(rawValue: number), end),
            ]
        }
        journal.append(records)
        listener.waitUntilDurable(UInt64(50 + records.count))
        #expect(listener.failures.isEmpty)
        clock.advance(seconds: 60)
        turn(journal, listener, rounds: 40)
        let numbers = try kept(journal, in: store)
        #expect(Array(numbers.prefix(50)) == Array(1...50))
        #expect((60...110).contains(numbers.count))
        #expect(Array(numbers.suffix(10)) == Array(441...450))
        guard kind == .sqlite else { return }
        let pages = try store.integers("SELECT page_count FROM pragma_page_count")[0]
        let free = try store.integers("SELECT freelist_count FROM pragma_freelist_count")[0]
        #expect(free <= 4096 || free <= pages / 4)
    }
}
