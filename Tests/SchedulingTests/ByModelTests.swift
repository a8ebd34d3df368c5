import ServingModel
import Testing

@testable import Scheduling

@Suite("What is known by model")
struct ByModelTests {
    @Test("It holds what a dictionary holds, with few models and with many")
    func likeADictionary() {
        var random = SeededGenerator(seed: 3)
        var table = ByModel<Int>()
        var twin: [String: Int] = [:]
        for step in 0..<2000 {
            // Some hundred steps with few names, then with many.
            let name = "model \(Int.random(in: 0..<(step / 200 % 2 == 0 ? 5 : 30), using: &random))"
            let value = Int.random(in: 0..<3, using: &random)
            table[name] = value == 0 ? nil : value
            twin[name] = value == 0 ? nil : value
            #expect(table.count == twin.count)
            let probe = "model \(Int.random(in: 0..<30, using: &random))"
            #expect(table[probe] == twin[probe])
        }
    }
}
