import Scheduling
import ServingModel
import Testing

@Suite("Prefix index")
struct PrefixIndexTests {
    private func matches(_ index: PrefixIndex, _ blocks: [UInt64]) -> [String] {
        index.matches(of: blocks).map { "\($0.worker.rawValue): \($0.share)" }
    }

    @Test("The longest match comes first, the latest of equals; who holds nothing is not there")
    func order() {
        var index = PrefixIndex()
        index.insert([1, 2, 3, 4], on: WorkerID(1))
        index.insert([1, 2, 7], on: WorkerID(2))
        index.insert([1, 9], on: WorkerID(3))
        index.insert([5], on: WorkerID(4))
        #expect(matches(index, [1, 2, 3, 4]) == ["1: 1.0", "2: 0.5", "3: 0.25"])
        #expect(matches(index, [1, 2]) == ["2: 1.0", "1: 1.0", "3: 0.5"])
        #expect(matches(index, [2, 3]).isEmpty)
        #expect(matches(index, []).isEmpty)
        index.insert([1, 2, 3, 4], on: WorkerID(1))
        #expect(matches(index, [1, 2]) == ["1: 1.0", "2: 1.0", "3: 0.5"])
    }

    @Test("A block counts only after the same beginning")
    func position() {
        var index = PrefixIndex()
        index.insert([1, 2, 3], on: WorkerID(1))
        #expect(matches(index, [4, 2, 3]).isEmpty)
        #expect(matches(index, [1, 3]) == ["1: 0.5"])
    }

    @Test("What was not used is forgotten, what was used stays")
    func forgets() {
        var index = PrefixIndex(capacity: 40)
        index.insert([1, 2], on: WorkerID(1))
        index.insert([3, 4], on: WorkerID(1))
        for block: UInt64 in 100..<200 {
            index.insert([block], on: WorkerID(2))
            index.insert([3, 4], on: WorkerID(1))
        }
        #expect(matches(index, [1, 2]).isEmpty)
        #expect(matches(index, [3, 4]) == ["1: 1.0"])
        #expect(matches(index, [199]) == ["2: 1.0"])
    }

    @Test("It agrees with a list of all that was inserted")
    func naive() {
        var generator = SeededGenerator(seed: 5)
        var index = PrefixIndex()
        var inserted: [(blocks: [UInt64], worker: UInt64)] = []
        func someBlocks() -> [UInt64] {
            (0..<Int.random(in: 1...6, using: &generator)).map { _ in UInt64.random(in: 0..<3, using: &generator) }
        }
        for _ in 0..<300 {
            let blocks = someBlocks()
            let worker = UInt64.random(in: 1...5, using: &generator)
            index.insert(blocks, on: WorkerID(worker))
            inserted.append((blocks, worker))
            let asked = someBlocks()
            for match in index.matches(of: asked) {
                let longest = inserted.filter { $0.worker == match.worker.rawValue }
                    .map { zip($0.blocks, asked).prefix { $0 == $1 }.count }.max()
                #expect(match.share == Double(longest ?? 0) / Double(asked.count))
            }
            let holders = Set(inserted.filter { $0.blocks[0] == asked[0] }.map(\.worker))
            #expect(Set(index.matches(of: asked).map(\.worker.rawValue)) == holders)
        }
    }
}
