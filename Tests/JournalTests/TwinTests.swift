import Brokering
import Journal
import ServingModel
import Testing

@Suite("The journal against its twin in memory")
struct TwinTests {
    @Test(
        "Random lives of a broker leave the same recovery and the same results",
        arguments: StoreKind.allCases,
        1...8 as ClosedRange<UInt64>
    )
    func random(kind: StoreKind, seed: UInt64) throws {
        let store = TestStore(kind)
        let twin = InMemoryJournal { Samples.start }
        var generator = SeededGenerator(seed: seed)
        var stream = RecordStream(seed: seed)
        var all: [AcceptedQuery] = []
        for _ in 0..<6 {
            let journal = try store.journal()
            #expect(try journal.recover() == twin.recover())
            let (listener, twinListener) = (Listener(), Listener())
            journal.start(listener.handle)
            twin.start(twinListener.handle)
            var count = 0
            for _ in 0..<Int(generator.next() % 12) {
                let records = stream.records(Int(generator.next() % 40))
                all += records.compactMap { if case .accepted(let query) = $0 { query } else { nil } }
                journal.append(records)
                twin.append(records)
                count += records.count
            }
            for (ticket, query) in all.enumerated() {
                let key = query.idempotencyKey.map { IdempotencyKey(owner: query.owner, key: $0) }
                let lookup = ticket.isMultiple(of: 2) ? key.map(JournalLookup.key) : nil
                journal.lookUp(lookup ?? .query(query.id), ticket: UInt64(ticket))
                twin.lookUp(lookup ?? .query(query.id), ticket: UInt64(ticket))
            }
            journal.close()
            twin.close()
            #expect(listener.failures.isEmpty)
            #expect(listener.durable == UInt64(count))
            #expect(twinListener.durable == UInt64(count))
            for ticket in all.indices {
                #expect(listener.found(UInt64(ticket)) == twinListener.found(UInt64(ticket)))
            }
        }
    }
}
