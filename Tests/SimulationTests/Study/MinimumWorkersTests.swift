import ServingModel
import Simulation
import Testing

@Suite struct MinimumWorkersTests {
    /// Misses by size (from 3 on) and seed, made up; attainment need not rise with the size.
    private struct Table {
        var queries: [Int]
        var misses: [[Int]]

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            let seeds = Int.random(in: 1...3, using: &generator)
            let queries = (0..<seeds).map { _ in Int.random(in: 20...40, using: &generator) }
            self.queries = queries
            misses = (0..<12).map { size in
                queries.map { min($0, max(0, Int.random(in: -4...8, using: &generator) + 6 - size)) }
            }
        }

        /// What trying every size to its end finds.
        func smallest(_ target: Double) -> MinimumWorkers.Answer {
            for (index, misses) in misses.enumerated() {
                let attainments = zip(misses, queries).map { 1 - Double($0) / Double($1) }
                let mean = attainments.reduce(0, +) / Double(attainments.count)
                if mean >= target - 1e-12 { return .found(workers: index + 3) }
            }
            return .none
        }
    }

    @Test(arguments: 0..<200)
    func `Stopping early and running ahead find what trying everything finds`(seed: Int) {
        let table = Table(seed: UInt64(seed))
        var generator = SeededGenerator(seed: UInt64(seed) + 1000)
        let target = [0.8, 0.9, 0.95, 1][seed % 4]
        var search = MinimumWorkers(from: 3, through: 14, attainment: target, queries: table.queries)
        var underway: [MinimumWorkers.Trial] = []
        while true {
            while underway.count < 1 + seed % 3, let trial = search.next(ahead: true) { underway.append(trial) }
            guard !underway.isEmpty else { break }
            let trial = underway.remove(at: Int.random(in: 0..<underway.count, using: &generator))
            let misses = table.misses[trial.workers - 3][trial.seed]
            search.take(trial, misses: misses > trial.allowedMisses ? nil : misses)
        }
        #expect(search.answer == table.smallest(target))
    }

    @Test func `Without running ahead one size is tried at a time`() {
        var search = MinimumWorkers(from: 5, through: 9, attainment: 0.9, queries: [100, 100])
        #expect(search.next(ahead: false)?.workers == 5)
        let second = search.next(ahead: false)
        #expect(second?.workers == 5)
        #expect(second?.seed == 1)
        #expect(search.next(ahead: false) == nil)
        #expect(search.next(ahead: true)?.workers == 6)
    }

    @Test func `A seed that did well leaves the others more misses`() throws {
        var search = MinimumWorkers(from: 1, through: 1, attainment: 0.9, queries: [100, 100])
        let firstTrial = search.next(ahead: false)
        let first = try #require(firstTrial)
        #expect(first.allowedMisses == 20)
        search.take(first, misses: 3)
        let secondTrial = search.next(ahead: false)
        let second = try #require(secondTrial)
        #expect(second.allowedMisses == 17)
        search.take(second, misses: 17)
        #expect(search.answer == .found(workers: 1))
    }
}
