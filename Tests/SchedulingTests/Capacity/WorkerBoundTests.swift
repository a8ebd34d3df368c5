import Scheduling
import ServingModel
import Testing

@Suite("The lower bound on workers")
struct WorkerBoundTests {
    private let tokenTime = Interval.milliseconds(100)

    /// The formula, token by token, over real batches on a fine grid.
    private func naiveTotal(_ queries: [QuerySize], multiplier: Double, leavingOut count: Int) -> Double {
        let costs = queries.map { query -> Double in
            var sum = 0.2548e-3 * Double(query.inputTokens)
            for token in 1..<max(query.outputTokens, 1) {
                let own = 0.1842e-3 + 0.0003544e-3 * Double(query.inputTokens + token)
                var least = Double.infinity
                for step in 0...2550 {
                    let batch = 1 + Double(step) * 0.1
                    least = min(least, 0.04362 / batch + multiplier * batch * own)
                }
                sum += own + multiplier * (0.04362 - 0.1) + least
            }
            return sum
        }
        return costs.sorted().dropLast(count).reduce(0, +)
    }

    @Test("The sum over queries is the formula's, token by token")
    func agreesWithFormula() {
        var generator = SeededGenerator(seed: 1)
        let queries = LoadSamples.queries(8, &generator)
        let bound = WorkerBound(profile: LoadSamples.llama70B(), averageTokenTime: tokenTime)
        for multiplier in [0, 1e-4, 0.003, 0.01, 1, 200] {
            for count in [0, 2] {
                let naive = naiveTotal(queries, multiplier: multiplier, leavingOut: count)
                let total = bound.total(of: queries, multiplier: multiplier, leavingOut: count)
                #expect(abs(total - naive) < 1e-3 * abs(naive))
                #expect(total <= naive + 1e-9)
            }
        }
    }

    @Test("The best multiplier is found")
    func bestMultiplier() {
        var generator = SeededGenerator(seed: 2)
        let queries = LoadSamples.queries(300, &generator)
        let bound = WorkerBound(profile: LoadSamples.llama70B(), averageTokenTime: tokenTime)
        let found = bound.workers(rate: 10, queries: queries)
        var best = 0.0
        for step in 0...4000 {
            let multiplier = Double(step) * 1e-5
            best = max(best, 10 * bound.total(of: queries, multiplier: multiplier, leavingOut: 3) / 300)
        }
        #expect(found >= best - 1e-9)
        #expect(found < best * 1.001)
    }

    @Test("It is below every batch that keeps the pace, and below the mean-field capacity")
    func belowFeasible() {
        let profile = LoadSamples.llama70B()
        let bound = WorkerBound(profile: profile, averageTokenTime: tokenTime)
        let query = QuerySize(inputTokens: 400, outputTokens: 300)
        let value = bound.workers(rate: 1, queries: [query], attainment: 1)
        // b equal queries together: prefilled one after the other before anyone decodes, then in lockstep to the end.
        var least = Double.infinity
        for batch in 1...256 {
            var time = Double(batch) * 0.2548e-3 * 400
            var decode = 0.0
            for token in 1..<300 {
                decode += 0.04362 + Double(batch) * (0.1842e-3 + 0.0003544e-3 * Double(400 + token))
            }
            guard decode / 299 <= 0.1 else { break }
            time += decode
            least = min(least, time / Double(batch))
        }
        #expect(value <= least)
        #expect(value > 0.95 * least)
        let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: tokenTime)
        #expect(value < capacity.workers(rate: 1, queries: [query]))
    }

    @Test("Leaving out the dearest lowers it, and a pace that can't be kept makes it infinite")
    func edges() {
        var generator = SeededGenerator(seed: 3)
        let queries = LoadSamples.queries(1000, &generator)
        let profile = LoadSamples.llama70B()
        let bound = WorkerBound(profile: profile, averageTokenTime: tokenTime)
        let all = bound.workers(rate: 10, queries: queries, attainment: 1)
        let most = bound.workers(rate: 10, queries: queries, attainment: 0.99)
        #expect(most < all && most > 0.9 * all)
        let hasty = WorkerBound(profile: profile, averageTokenTime: .milliseconds(40))
        #expect(hasty.workers(rate: 1, queries: queries) == .infinity)
        let prefillOnly = [QuerySize(inputTokens: 1000, outputTokens: 1)]
        #expect(abs(bound.workers(rate: 2, queries: prefillOnly) - 0.5096) < 1e-9)
        #expect(bound.workers(rate: 2, queries: []) == 0)
    }
}
