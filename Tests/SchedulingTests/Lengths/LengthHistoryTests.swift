import ServingModel
import Testing

@testable import Scheduling

@Suite("What is learnt of output lengths")
struct LengthHistoryTests {
    @Test("A model never heard of has a prior with both short and long answers")
    func prior() {
        let history = LengthHistory()
        let survival = history.survival(model: "m", inputTokens: 100)
        #expect(survival(10) > 0.9 && survival(1000) > 0.1 && survival.longest == 2048)
        #expect(abs(survival(128) - 16.0 / 33) < 1e-9)
        #expect(history.mean(model: "m", inputTokens: 100) == survival.mean)
        #expect(survival.mean > 350 && survival.mean < 430)
    }

    @Test("The prior fades as answers come and is gone after 200")
    func priorFades() {
        var history = LengthHistory()
        var before = history.survival(model: "m", inputTokens: 100)(1000)
        for count in 1...250 {
            history.observe(outputTokens: 50, model: "m", inputTokens: 100)
            let now = history.survival(model: "m", inputTokens: 100)(1000)
            #expect(now <= before)
            if count == 1 { #expect(now > 0.1) }
            before = now
        }
        #expect(before == 0)
        #expect(history.survival(model: "m", inputTokens: 100).mean == 50)
    }

    @Test("It follows a change of lengths once the window has passed")
    func slidingWindow() {
        var history = LengthHistory()
        for _ in 0..<LengthWindow.capacity { history.observe(outputTokens: 10, model: "m", inputTokens: 8) }
        for _ in 0..<LengthWindow.capacity { history.observe(outputTokens: 9000, model: "m", inputTokens: 8) }
        let survival = history.survival(model: "m", inputTokens: 8)
        // Made anew within the last 50 of 10,000.
        #expect(survival.mean > 8950)
        #expect(history.mean(model: "m", inputTokens: 8) == 9000)
        #expect(history.samples(model: "m") == LengthWindow.capacity)
    }

    @Test("The window's survival function is the one of its latest lengths")
    func agreesWithTheLatest() {
        var generator = SeededGenerator(seed: 6)
        var window = LengthWindow(prior: SurvivalFunction(lengths: [1]))
        var all: [Int] = []
        for _ in 0..<23_456 {
            all.append(Int.random(in: 1...(1 << Int.random(in: 0...14, using: &generator)), using: &generator))
            // Only a remade function can be compared: between remakings it lags by up to 50.
            guard window.observe(all[all.count - 1]), all.count > 23_000 else { continue }
            #expect(window.survival == SurvivalFunction(lengths: all.suffix(LengthWindow.capacity)))
        }
        #expect(all.count > LengthWindow.capacity)
    }

    @Test("The most specific that has 200 answers speaks: tenant, then input bucket, then model")
    func mostSpecific() {
        var history = LengthHistory()
        for _ in 0..<199 { history.observe(outputTokens: 10, model: "m", inputTokens: 100, tenant: "a") }
        for _ in 0..<600 { history.observe(outputTokens: 40, model: "m", inputTokens: 5000) }
        func mean(_ input: Int, _ tenant: String) -> Double {
            history.survival(model: "m", inputTokens: input, tenant: tenant).mean
        }
        let overall = mean(1, "")
        #expect(overall > 30 && overall < 40)
        #expect(mean(100, "a") == overall)
        #expect(mean(4096, "a") == 40)
        history.observe(outputTokens: 10, model: "m", inputTokens: 100, tenant: "a")
        #expect(mean(100, "b") == 10)
        #expect(mean(127, "") == 10)
        #expect(mean(4096, "a") == 10)
        #expect(history.survival(model: "other", inputTokens: 100, tenant: "a").mean > 300)
        #expect(history.survival(model: "m").mean < 40 && history.survival(model: "other").mean > 300)
    }

    @Test("The paper's mean is that of the power-of-two bucket, and unbiased")
    func bucketMeans() {
        var history = LengthHistory()
        for index in 0..<100 {
            history.observe(outputTokens: 100 + index, model: "m", inputTokens: 64 + index % 64)
            history.observe(outputTokens: 500, model: "m", inputTokens: 128)
        }
        #expect(history.mean(model: "m", inputTokens: 64) == 149.5)
        #expect(history.mean(model: "m", inputTokens: 127) == 149.5)
        #expect(history.mean(model: "m", inputTokens: 128) == 500)
        #expect(history.mean(model: "m", inputTokens: 9) == (149.5 + 500) / 2)
        #expect((0...4).map(LengthHistory.bucket) == [0, 1, 2, 2, 3])
        #expect(LengthHistory.bucket(of: .max) == 32)
        #expect(LengthHistory.bucket(of: -1) == 0)
    }

    @Test("The version changes when something was made anew, and only then")
    func version() {
        var history = LengthHistory()
        let first = history.version
        history.observe(outputTokens: 0, model: "m", inputTokens: 1)
        #expect(history.version == first)
        for _ in 0..<LengthWindow.capacity { history.observe(outputTokens: 5, model: "m", inputTokens: 1) }
        var changes = 0
        for _ in 0..<1000 {
            let before = history.version
            let survival = history.survival(model: "m", inputTokens: 1)
            history.observe(outputTokens: 7, model: "m", inputTokens: 1)
            let changed = survival != history.survival(model: "m", inputTokens: 1)
            if changed { #expect(history.version != before) }
            changes += history.version - before
        }
        // Two kinds (model and bucket), each once in 50 or together.
        #expect(changes >= 20 && changes <= 40)
    }

    @Test("Tenants beyond the bound are counted with their model only")
    func boundedTenants() {
        var history = LengthHistory()
        for tenant in 0..<300 {
            let tokens = tenant < 256 ? 10 : 20
            for _ in 0..<200 { history.observe(outputTokens: tokens, model: "m", inputTokens: 4, tenant: "t\(tenant)") }
        }
        #expect(history.survival(model: "m", inputTokens: 4, tenant: "t255").mean == 10)
        #expect(history.survival(model: "m", inputTokens: 4, tenant: "t256").mean != 20)
    }

    @Test("Answers that still run correct the bias of a cold start")
    func coldStart() {
        var generator = SeededGenerator(seed: 7)
        let truth = (0..<800).map { _ in Int.random(in: 1...1000, using: &generator) }
        // All began together and each has had 300 tokens of time: only the short ones have finished.
        var biased = LengthHistory()
        var corrected = LengthHistory()
        corrected.observeUnfinished(truth.filter { $0 > 300 }.map { _ in 300 }, model: "m")
        for length in truth where length <= 300 {
            let input = 1 << Int.random(in: 0...9, using: &generator)
            biased.observe(outputTokens: length, model: "m", inputTokens: input)
            corrected.observe(outputTokens: length, model: "m", inputTokens: input)
        }
        let naive = NaiveLengths(lengths: truth)
        #expect(abs(corrected.survival(model: "m", inputTokens: 0)(250) - naive.survival(250)) < 0.03)
        #expect(biased.survival(model: "m", inputTokens: 0)(250) < naive.survival(250) - 0.3)
    }

    @Test("Without running answers the correction changes nothing; with them weight only moves up")
    func correction() {
        let finished = [2, 5, 5, 9].map { WeightedLength(tokens: $0, weight: 1) }
        let same = WeightedLength.correcting(finished, forUnfinished: [])
        #expect(SurvivalFunction(ascending: same) == SurvivalFunction(ascending: finished))
        // One runs with 5: at risk of ending at 2 and 5, not at 9. S(2) = 4/5, S(5) = 4/5·2/4, S(9) = 0.
        let moved = SurvivalFunction(ascending: WeightedLength.correcting(finished, forUnfinished: [5]))
        #expect(abs(moved(2) - 0.8) < 1e-12)
        #expect(abs(moved(5) - 0.4) < 1e-12)
        #expect(abs(moved(9)) < 1e-12)
        // One runs with 20, longer than all: a fifth is longer than 9.
        let longer = SurvivalFunction(ascending: WeightedLength.correcting(finished, forUnfinished: [20]))
        #expect(abs(longer(9) - 0.2) < 1e-12)
        #expect(longer.longest == 40)
    }
}
