import ServingModel
import Testing

@testable import Brokering

@Suite("Names that the journal may know")
struct NameFilterTests {
    private func instant(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    @Test("A name is remembered for its time, and forgotten within twice that")
    func forgets() {
        var filter = NameFilter([1], retention: .seconds(10), capacity: 100, at: .zero)
        filter.insert(2, at: instant(9))
        filter.insert(3, at: instant(10))
        // The second is nine seconds old when others push it aside, and still there.
        #expect(filter.contains(1) && filter.contains(2) && filter.contains(3))
        filter.insert(4, at: instant(19))
        #expect(filter.contains(2))
        filter.insert(5, at: instant(20))
        #expect(!filter.contains(1) && !filter.contains(2) && filter.contains(3) && filter.contains(4))
        filter.insert(6, at: instant(60))
        #expect(filter.count == 1 && filter.contains(6))
    }

    @Test("So many of the latest are remembered, and no more than twice as many")
    func capacity() {
        var filter = NameFilter(retention: .seconds(3600), capacity: 10, at: .zero)
        for name: UInt64 in 1...1000 {
            filter.insert(name, at: instant(1))
            let latest = max(1, Int64(name) - 9)
            #expect((latest...Int64(name)).allSatisfy { filter.contains(UInt64($0)) })
            #expect(filter.count <= 20)
        }
        #expect(!filter.contains(980))
    }

    @Test("However long a broker runs, it remembers no more than came of late")
    func isBounded() throws {
        var rig = BrokerRig(journaled: Recovery()) { $0.nameRetention = .seconds(10) }
        rig.join(1, granted: 1000)
        for number in 0..<200 {
            rig.tick(after: .seconds(1))
            _ = try rig.submit { $0.idempotencyKey = "name \(number)" }
            let lease = try #require(rig.dispatched().first).lease
            rig.step(1, .tokens(lease, from: 0, finish: .stop))
            rig.broker.journaled(through: rig.broker.written, at: rig.now)
        }
        #expect(rig.broker.knownNames.count <= 22)
    }
}
