import RecordTables
import ServingModel
import Testing

@Suite("Parts that few records have")
struct SeldomTests {
    struct Parts: Seldomness, Hashable {
        var names: [String] = []
        var count = 0
    }

    @Test("What was never changed takes a pointer and reads as it was made")
    func absent() {
        let seldom = Seldom<Parts>()
        #expect(MemoryLayout<Seldom<Parts>>.size == MemoryLayout<Int>.size)
        #expect(!seldom.isPresent && seldom.whole == Parts())
        #expect(seldom.part({ $0.count }, or: 7) == 7)
    }

    @Test("A copy keeps what it had when the other is changed")
    func copies() {
        var one = Seldom<Parts>()
        one.change { $0.names.append("a") }
        var other = one
        other.change { $0.count = 2 }
        #expect(one.whole == Parts(names: ["a"]))
        #expect(other.whole == Parts(names: ["a"], count: 2))
        #expect(one.part({ $0.names }, or: []) == ["a"])
    }

    @Test("A place that says nothing is equal to none")
    func equality() {
        var changed = Seldom<Parts>()
        changed.change { $0.count = 1 }
        #expect(changed != Seldom<Parts>())
        changed.change { $0.count = 0 }
        #expect(changed == Seldom<Parts>() && changed.hashValue == Seldom<Parts>().hashValue)
    }
}

@Suite("Optionals in the room of their values")
struct CompactTests {
    struct Record: Hashable {
        @Compact var end: Instant?
        @Compact var wait: Interval? = .zero
        @Compact var count: Int?
        @Compact var worker: WorkerID?
    }

    @Test("Optionals take the room of their values")
    func size() {
        #expect(MemoryLayout<Record>.size == 4 * MemoryLayout<Int>.size)
    }

    @Test("They hold what they are given, and nil")
    func values() {
        var record = Record()
        #expect(record.end == nil && record.wait == .zero && record.count == nil && record.worker == nil)
        record.end = .zero
        record.wait = nil
        record.count = -1
        record.worker = WorkerID(rawValue: 0)
        #expect(record.end == .zero && record.wait == nil && record.count == -1 && record.worker?.rawValue == 0)
        record.end = nil
        #expect(record.end == nil && record != Record())
    }
}
