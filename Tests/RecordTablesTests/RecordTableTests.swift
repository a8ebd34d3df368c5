import RecordTables
import Testing

@Suite("Records that stay where they are")
struct RecordTableTests {
    private struct Record: Equatable, Sendable {
        var text: String
        var numbers: [Int]
    }

    /// Says when it goes.
    private final class Witness: Sendable {
        let onEnd: @Sendable () -> Void

        init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

        deinit { onEnd() }
    }

    @Test("Whatever is done to it, it has what a dictionary would have", arguments: 1...20)
    func likeADictionary(seed: Int) {
        var random = LinearGenerator(state: UInt64(seed))
        var table = RecordTable<Int, Record>()
        var twin: [Int: Record] = [:]
        for step in 0..<2000 {
            let key = Int.random(in: 0..<60, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1:
                table[key] = Record(text: "\(step)", numbers: [step])
                twin[key] = Record(text: "\(step)", numbers: [step])
            case 2:
                table[key]?.numbers.append(step)
                twin[key]?.numbers.append(step)
            case 3:
                if let place = table.place(of: key) { table[place: place].text += "+" }
                twin[key]?.text += "+"
            case 4:
                #expect(table.removeValue(forKey: key) == twin.removeValue(forKey: key))
            case 5:
                if let place = table.place(of: key) { table.remove(at: place, key: key) }
                twin[key] = nil
            default:
                table[key] = nil
                twin[key] = nil
                if twin[key] == nil {
                    let place = table.insert(Record(text: "new", numbers: []), for: key)
                    #expect(table.place(of: key) == place)
                    twin[key] = Record(text: "new", numbers: [])
                }
            }
            #expect(table[key] == twin[key])
            #expect(table.count == twin.count)
        }
        #expect(Dictionary(uniqueKeysWithValues: table.map { ($0.key, $0.value) }) == twin)
        #expect(Set(table.keys) == Set(twin.keys))
        #expect(table.values.count == twin.count)
    }

    @Test("A record keeps its place while others come and go")
    func placesStay() {
        var table = RecordTable<Int, Record>()
        let place = table.insert(Record(text: "stays", numbers: []), for: -1)
        for number in 0..<1000 {
            table.insert(Record(text: "", numbers: [number]), for: number)
            if number % 3 == 0, let other = table.place(of: number) { table.remove(at: other, key: number) }
        }
        #expect(table.place(of: -1) == place)
        #expect(table[place: place].text == "stays")
    }

    @Test("A copy is one of its own")
    func copies() {
        var table = RecordTable<Int, Record>()
        let place = table.insert(Record(text: "a", numbers: []), for: 1)
        let copy = table
        table[place: place].text = "b"
        table.insert(Record(text: "c", numbers: []), for: 2)
        #expect(copy[1]?.text == "a" && copy.count == 1)
        #expect(table[1]?.text == "b" && table.count == 2)
    }

    @Test("A record that is removed, or whose table goes, goes at once")
    func nothingIsKept() async {
        await confirmation(expectedCount: 2) { gone in
            var table = RecordTable<Int, Witness>()
            let place = table.insert(Witness { gone() }, for: 1)
            table.insert(Witness { gone() }, for: 2)
            table.remove(at: place, key: 1)
        }
    }
}

private struct LinearGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
