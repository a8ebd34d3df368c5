import Scheduling
import ServingModel
import Testing

@Suite("How many GPUs a worker should have")
struct WorkerConfigurationTests {
    private let objective = ServiceLevelObjective(
        timeToFirstToken: .milliseconds(2000),
        averageTokenTime: .milliseconds(100)
    )

    private func load() -> LoadSummary {
        var generator = SeededGenerator(seed: 1)
        return LoadSummary(rate: 50, queries: LoadSamples.queries(2000, &generator))
    }

    /// Faster by somewhat less than its GPUs, with memory that the weights leave.
    private func profile(gpus: Int) -> LatencyProfile {
        var profile = LoadSamples.llama70B(gpus: gpus)
        let speeds: [Int: Double] = [1: 0.28, 2: 0.54, 4: 1, 8: 1.8]
        let speed = speeds[gpus] ?? 1
        profile.prefill.k1Milliseconds /= speed
        profile.decode.k2Milliseconds /= speed
        profile.decode.c2Milliseconds /= speed
        profile.decode.c3Milliseconds = 120 / Double(gpus) + 13.62
        profile.kvCache.capacityTokens = max(0, gpus * 140_000 - 133_000)
        return profile
    }

    @Test("The mean context of residents favours long answers")
    func residentContext() {
        let load = LoadSummary(
            rate: 1,
            queries: [QuerySize(inputTokens: 10, outputTokens: 3), QuerySize(inputTokens: 100, outputTokens: 1)]
        )
        // Only the first decodes: contexts 11 and 12.
        #expect(load.residentContext == 11.5)
        #expect(load.meanDecodes == 1)
        #expect(load.longInput == 100 && load.largest == 101)
    }

    @Test("b* is the largest whole batch whose pace, prefills included, is within the objective")
    func paperBatch() throws {
        let load = load()
        let configuration = WorkerConfiguration(load: load, objective: objective)
        let choice = configuration.paperChoice(among: [profile(gpus: 4)])
        let candidate = try #require(choice.candidates.first)
        func pace(_ batch: Double) -> Double {
            let step = 0.04362 + batch * (0.1842e-3 + 0.0003544e-3 * load.residentContext)
            return step + batch * 0.2548e-3 * load.meanInput / load.meanDecodes
        }
        #expect(pace(candidate.batch) <= 0.1 && pace(candidate.batch + 1) > 0.1)
        // The rate is what leaves: b residents of o tokens each, at that pace.
        #expect(abs(candidate.ratePerWorker - candidate.batch / (load.meanDecodes * pace(candidate.batch))) < 1e-9)
        #expect(choice.best == 0 && candidate.exclusion == nil)
        #expect(abs(candidate.workers - 50 / candidate.ratePerWorker) < 1e-9)
    }

    @Test("Both rules take the cheapest of what is feasible and say why not the others", arguments: [true, false])
    func choices(paper: Bool) throws {
        let configuration = WorkerConfiguration(load: load(), objective: objective)
        let profiles = [1, 2, 4, 8].map { profile(gpus: $0) }
        let choice = paper ? configuration.paperChoice(among: profiles) : configuration.meanFieldChoice(among: profiles)
        let best = try #require(choice.best)
        for (index, candidate) in choice.candidates.enumerated() {
            switch candidate.exclusion {
            case nil: #expect(index == best)
            case .dearer(let factor):
                #expect(factor >= 1)
                #expect(abs(candidate.cost - factor * choice.candidates[best].cost) < 1e-6 * candidate.cost)
            default: #expect(candidate.workers == .infinity)
            }
        }
        guard case .paceUnreachable = choice.candidates[0].exclusion else {
            // 120 + 13.62 ms a step.
            Issue.record("one GPU has no time left: \(String(describing: choice.candidates[0].exclusion))")
            return
        }
    }

    @Test("A tighter token time asks for more GPUs a worker")
    func tighterPace() throws {
        let profiles = [1, 2, 4, 8].map { profile(gpus: $0) }
        func gpus(_ milliseconds: Int64) throws -> Int {
            var objective = objective
            objective.averageTokenTime = .milliseconds(milliseconds)
            let choice = WorkerConfiguration(load: load(), objective: objective).meanFieldChoice(among: profiles)
            return profiles[try #require(choice.best)].gpus
        }
        let counts = [try gpus(1000), try gpus(400), try gpus(60), try gpus(35)]
        #expect(counts == counts.sorted())
        #expect(counts[0] < counts[3])
    }

    @Test("Where memory is plenty, ours is the mean-field capacity; where it binds, more")
    func memory() throws {
        var generator = SeededGenerator(seed: 1)
        let queries = LoadSamples.queries(2000, &generator)
        let configuration = WorkerConfiguration(load: load(), objective: objective)
        var small = profile(gpus: 4)
        let mean = MeanFieldCapacity(profile: small, averageTokenTime: objective.averageTokenTime)
            .workers(rate: 50, queries: queries)
        let plenty = try #require(configuration.meanFieldChoice(among: [small]).candidates.first)
        #expect(abs(plenty.workers - mean) < 1e-6)
        small.kvCache.capacityTokens = 12_000
        let bound = try #require(configuration.meanFieldChoice(among: [small]).candidates.first)
        #expect(bound.batch < plenty.batch)
        #expect(bound.workers > 1.05 * mean)
    }

    @Test("A query that no worker's memory takes, and a prompt that takes too long, exclude a profile")
    func exclusions() {
        var configuration = WorkerConfiguration(load: load(), objective: objective)
        var tiny = profile(gpus: 4)
        tiny.kvCache.capacityTokens = 2000
        #expect(
            configuration.paperChoice(among: [tiny]).candidates[0].exclusion
                == .queryExceedsKVCache(tokens: load().largest, capacityTokens: 1800)
        )
        var hasty = objective
        hasty.timeToFirstToken = .milliseconds(300)
        configuration = WorkerConfiguration(load: load(), objective: hasty)
        let choice = configuration.meanFieldChoice(among: [profile(gpus: 4)])
        #expect(choice.best == nil)
        guard case .firstTokenTooLate(let seconds, 0.3) = choice.candidates[0].exclusion else {
            Issue.record("\(String(describing: choice.candidates[0].exclusion))")
            return
        }
        #expect(seconds > 0.3 && choice.candidates[0].exclusion?.description.contains("300.0 ms") == true)
    }
}
