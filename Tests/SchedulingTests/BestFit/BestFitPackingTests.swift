import Scheduling
import ServingModel
import Testing

@Suite("Best-fit against the best packing")
struct BestFitPackingTests {
    private struct Case {
        var profile = LatencyProfile.packing()
        var timeToFirstToken: Int64
        var tokenTime: Int64
        var queries: [(input: Int, output: Int)]

        /// Of queries that each fit a worker of their own; what is scarce changes from case to case.
        init(_ generator: inout SeededGenerator) {
            profile.kvCache.capacityTokens = [1500, 2500, 100_000].randomElement(using: &generator)!
            profile.limits.maximumSequences = [3, 5, 256].randomElement(using: &generator)!
            timeToFirstToken = [120, 200, 2000].randomElement(using: &generator)!
            tokenTime = [33, 40, 100].randomElement(using: &generator)!
            queries = []
            let count = Int.random(in: 4...12, using: &generator)
            while queries.count < count {
                let input = Int.random(in: 20...700, using: &generator)
                let output = Int.random(in: 2...600, using: &generator)
                if fits([(input, output)]) { queries.append((input, output)) }
            }
        }

        func fits(_ queries: [(input: Int, output: Int)]) -> Bool {
            var naive = NaiveConstraints(profile: profile)
            naive.waiting = queries.map {
                NaiveConstraints.Query(
                    input: Double($0.input),
                    prefill: Double($0.input),
                    generated: 0,
                    length: Double($0.output),
                    tokenTime: Double(tokenTime) / 1000,
                    deadline: Double(timeToFirstToken) / 1000,
                    firstToken: nil
                )
            }
            return naive.broken.isEmpty
        }

        /// The fewest workers that take all queries: branch and bound over assignments.
        ///
        /// - Parameter enough: a number of workers that is known to do.
        func fewestWorkers(enough: Int) -> Int {
            let order = queries.sorted { $0.input + $0.output > $1.input + $1.output }
            var best = enough
            var workers: [[(input: Int, output: Int)]] = []
            func assign(_ next: Int) {
                guard workers.count < best else { return }
                guard next < order.count else {
                    best = workers.count
                    return
                }
                for worker in workers.indices {
                    workers[worker].append(order[next])
                    if fits(workers[worker]) { assign(next + 1) }
                    workers[worker].removeLast()
                }
                workers.append([order[next]])
                assign(next + 1)
                workers.removeLast()
            }
            assign(0)
            return best
        }
    }

    @Test("Of 240 small packings each is feasible, and needs at most one worker more than the best")
    func comparesWithBest() {
        var generator = SeededGenerator(seed: 2024)
        var excess: [Int: Int] = [:]
        var (used, needed, compared) = (0, 0, 0)
        while compared < 240 {
            let sample = Case(&generator)
            var cluster = PackingCluster(BestFit(.loose), workers: sample.queries.count, profile: sample.profile)
            for (number, query) in sample.queries.enumerated() {
                cluster.arrive(
                    UInt64(number),
                    input: query.input,
                    output: query.output,
                    timeToFirstToken: sample.timeToFirstToken,
                    tokenTime: sample.tokenTime
                )
            }
            cluster.decide()
            #expect(cluster.placements.count == sample.queries.count)
            var workers: [[(input: Int, output: Int)]] = Array(repeating: [], count: sample.queries.count + 1)
            for placement in cluster.placements {
                workers[Int(placement.worker)].append(sample.queries[Int(placement.query)])
            }
            let opened = workers.count { !$0.isEmpty }
            #expect(workers.allSatisfy { $0.isEmpty || sample.fits($0) })
            let best = sample.fewestWorkers(enough: opened)
            // What the best needs more than five workers for says little.
            guard best <= 5 else { continue }
            compared += 1
            used += opened
            needed += best
            excess[opened - best, default: 0] += 1
        }
        #expect(excess.keys.allSatisfy { $0 <= 1 }, "\(excess)")
        // No worse than 12 % over all.
        #expect(Double(used) / Double(needed) < 1.12, "\(used) / \(needed)")
    }
}
