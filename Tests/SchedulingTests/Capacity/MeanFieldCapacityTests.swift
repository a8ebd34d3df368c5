import Scheduling
import ServingModel
import Testing

@Suite("Offered work and mean-field capacity")
struct MeanFieldCapacityTests {
    private let tokenTime = Interval.milliseconds(100)

    @Test("The closed form of a query's work is the sum over its decode tokens")
    func closedForm() {
        var generator = SeededGenerator(seed: 1)
        var profile = LoadSamples.llama70B()
        profile.prefill.k1qMilliseconds = 2e-6
        let work = OfferedWork(profile: profile)
        for query in LoadSamples.queries(50, &generator) {
            var sum = 0.2548e-3 * Double(query.inputTokens)
            sum += 2e-9 * Double(query.inputTokens * query.inputTokens)
            for token in 1..<max(query.outputTokens, 1) {
                sum += 0.1842e-3 + 0.0003544e-3 * Double(query.inputTokens + token)
            }
            #expect(abs(work.seconds(of: query) - sum) < 1e-9)
        }
    }

    @Test("The expected work over a distribution of lengths is the mean of the work")
    func expectedWork() {
        var generator = SeededGenerator(seed: 2)
        let work = OfferedWork(profile: LoadSamples.llama70B())
        let lengths = LoadSamples.queries(300, &generator).map(\.outputTokens)
        let survival = SurvivalFunction(lengths: lengths)
        let mean = work.mean(of: lengths.map { QuerySize(inputTokens: 700, outputTokens: $0) })
        #expect(abs(work.expectedSeconds(inputTokens: 700, survival: survival) - mean) < 1e-9)
    }

    @Test("N_mf is R·E[W]/(1 − c3/T), and its batch is the one whose pace is T")
    func formula() {
        var generator = SeededGenerator(seed: 3)
        let queries = LoadSamples.queries(500, &generator)
        let profile = LoadSamples.llama70B()
        let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: tokenTime)
        let mean = OfferedWork(profile: profile).mean(of: queries)
        let expected = 50 * mean / (1 - 0.04362 / 0.1)
        #expect(abs(capacity.workers(rate: 50, queries: queries) - expected) < 1e-9)
        #expect(capacity.steadyWorkers(rate: 50, queries: queries) == Int((expected / 0.95).rounded(.up)))

        let decodes = queries.reduce(0) { $0 + Double($1.decodeTokens) } / 500
        let batch = capacity.meanBatch(meanWork: mean, meanDecodes: decodes)
        // Of T seconds: a step's constant and the work of the b tokens it makes, prefills included.
        #expect(abs(0.04362 + batch * mean / decodes - 0.1) < 1e-9)
    }

    @Test("A worker whose constant is as long as the token time can't be had in any number")
    func unreachablePace() {
        let queries = [QuerySize(inputTokens: 100, outputTokens: 100)]
        let capacity = MeanFieldCapacity(profile: LoadSamples.llama70B(), averageTokenTime: .milliseconds(43))
        #expect(capacity.workers(rate: 1, queries: queries) == .infinity)
        #expect(capacity.steadyWorkers(rate: 1, queries: queries) == nil)
        let prefillsOnly = [QuerySize(inputTokens: 1000, outputTokens: 1)]
        #expect(abs(capacity.workers(rate: 1, queries: prefillsOnly) - 0.2548) < 1e-12)
    }

    @Test("A decode knee counts once the mean batch is beyond it")
    func decodeKnee() {
        let queries = [QuerySize(inputTokens: 200, outputTokens: 400)]
        var profile = LoadSamples.llama70B()
        func workers() -> Double {
            MeanFieldCapacity(profile: profile, averageTokenTime: tokenTime).workers(rate: 40, queries: queries)
        }
        let plain = workers()
        profile.decode.kneeSequences = 1000
        profile.decode.c2AboveKneeMilliseconds = 0.3
        #expect(workers() == plain)
        profile.decode.kneeSequences = 20
        let above = workers()
        #expect(above > plain)
        // The batch at which a step of the kneed profile and its share of prefills take T, by search.
        let prefill = 0.2548e-3 * 200
        var batch = 0.0
        while true {
            let next = batch + 0.001
            let step = 0.04362 + next * (0.1842e-3 + 0.0003544e-3 * 400) + 0.3e-3 * max(0, next - 20)
            if step + next * prefill / 399 > 0.1 { break }
            batch = next
        }
        #expect(abs(above - 40 * 399 * 0.1 / batch) < 0.01)
        profile.decode.c2AboveKneeMilliseconds = -0.1
        #expect(workers() < plain)
    }

    @Test("Experts lengthen the constant by what the mean batch reads")
    func experts() {
        let queries = [QuerySize(inputTokens: 200, outputTokens: 400)]
        var profile = LoadSamples.llama70B()
        profile.decode.c3Milliseconds = 23.62
        profile.decode.expertMilliseconds = 20
        profile.decode.expertShare = 0.5
        let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: tokenTime)
        // With half of the experts per token any real batch reads them all.
        let dense = MeanFieldCapacity(profile: LoadSamples.llama70B(), averageTokenTime: tokenTime)
        let expected = dense.workers(rate: 40, queries: queries)
        #expect(abs(capacity.workers(rate: 40, queries: queries) - expected) < 1e-6 * expected)
    }

    @Test("Windows of a steady load need N_mf, and a burst shows in the peak")
    func windows() {
        let profile = LoadSamples.llama70B()
        let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: tokenTime)
        let size = QuerySize(inputTokens: 500, outputTokens: 200)
        var arrivals = (0..<6000).map { (time: Instant(nanoseconds: Int64($0) * 100_000_000), size: size) }
        let steady = WindowedCapacity(arrivals: arrivals, window: .seconds(10), step: .seconds(1), capacity: capacity)
        let expected = capacity.workers(rate: 10, queries: [size])
        #expect(abs(steady.peak - expected) < 1e-6)
        #expect(abs(steady.quantile(0.01) - expected) < 1e-6)
        #expect(steady.workers.count == 590)

        arrivals += (0..<100).map { _ in (time: Instant.zero + .seconds(300), size: size) }
        arrivals.sort { $0.time < $1.time }
        let burst = WindowedCapacity(arrivals: arrivals, window: .seconds(10), step: .seconds(1), capacity: capacity)
        #expect(abs(burst.peak - 2 * expected) < 1e-6)
        #expect(abs(burst.quantile(0.9) - expected) < 1e-6)
        #expect(WindowedCapacity(arrivals: [], window: .seconds(1), step: .seconds(1), capacity: capacity).peak == 0)
    }
}
