import ServingModel
import Testing

@Suite("Numbers as keys")
struct SerialNumberTests {
    @Test("Numbers that count up are spread over a table's slots as evenly as random ones would be")
    func spread() {
        for step: UInt64 in [1, 2, 8, 4096, 1 << 32] {
            for mask in [0xFF, 0xFFF, 0xFFFF] {
                let count = UInt64(mask + 1)
                let slots = Set((0..<count).map { QuickHash.spread($0 * step, seed: 42) & mask })
                // Random numbers would fill 63 % of them.
                let share = Double(slots.count) / Double(count)
                #expect(share > 0.55 && share < 0.71, "step \(step), \(count) slots")
            }
        }
    }

    @Test("Another seed is another order")
    func seeds() {
        let orders = (0..<100).map { seed in QuickHash.spread(1, seed: seed) & 0xFFFF }
        #expect(Set(orders).count > 90)
    }

    @Test("Tables hash keys of the service by it, and find them")
    func tables() {
        let lease = Lease(rawValue: 7)
        #expect(lease._rawHashValue(seed: 3) == QuickHash.spread(7, seed: 3))
        let numbers = Dictionary(uniqueKeysWithValues: (0..<10_000).map { (QueryNumber(rawValue: $0), $0) })
        #expect((0..<10_000).allSatisfy { numbers[QueryNumber(rawValue: $0)] == $0 })
        #expect(numbers[QueryNumber(rawValue: 10_000)] == nil)
        let ids = Set((0..<1000).map { QueryID(high: 1, low: $0) })
        #expect(
            ids.count == 1000 && ids.contains(QueryID(high: 1, low: 999)) && !ids.contains(QueryID(high: 2, low: 0))
        )
    }
}
