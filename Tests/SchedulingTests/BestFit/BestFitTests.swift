import Scheduling
import ServingModel
import Testing

@Suite("Best-fit packing")
struct BestFitTests {
    /// Where a query goes that comes when worker 1 has another one and worker 2 nothing: 1 if it fits beside it.
    private func place(
        _ query: (input: Int, output: Int),
        beside resident: (input: Int, output: Int),
        after time: Int64 = 0,
        profile: LatencyProfile = .packing(),
        timeToFirstToken: Int64 = 2000,
        settings: BestFit.Settings = .loose
    ) -> [UInt64] {
        var cluster = PackingCluster(BestFit(settings), workers: 2, profile: profile)
        cluster.arrive(1, input: resident.input, output: resident.output, timeToFirstToken: timeToFirstToken)
        cluster.put(1, on: 1)
        cluster.decide()
        if time > 0 { cluster.advance(to: Instant.zero + .milliseconds(time)) }
        cluster.arrive(2, input: query.input, output: query.output, timeToFirstToken: timeToFirstToken)
        return cluster.decide()
    }

    @Test("(a) A query goes where what waits leaves it time for its first token")
    func firstToken() {
        // After the 210 ms of the prefill under way another of 310 ms.
        #expect(place((3000, 50), beside: (2000, 50), timeToFirstToken: 521) == [1])
        #expect(place((3000, 50), beside: (2000, 50), timeToFirstToken: 519) == [2])
    }

    @Test("(b) A prefill goes where the running can stand still for it")
    func prefillSlack() {
        // Of 50 tokens at 100 ms most is slack; of 5, less than the 310 ms that the prefill takes.
        #expect(place((3000, 50), beside: (100, 50), after: 200) == [1])
        #expect(place((3000, 50), beside: (100, 5), after: 40) == [2])
        var settings = BestFit.Settings.loose
        settings.decodesOnly = true
        #expect(place((3000, 50), beside: (100, 5), after: 40, settings: settings) == [1])
    }

    @Test("(c) A decode step stays below θ of the objective, outputs counting by γ")
    func decodeTime() {
        // 20 ms + 2 · 1 ms + 0.01 ms · (2,000 + 2,000 + γ · 3,000) = 77 ms with γ = 1/2.
        var settings = BestFit.Settings.loose
        settings.theta = 0.78
        #expect(place((2000, 1500), beside: (2000, 1500), settings: settings) == [1])
        settings.theta = 0.76
        #expect(place((2000, 1500), beside: (2000, 1500), settings: settings) == [2])
        settings.gamma = 0.4
        #expect(place((2000, 1500), beside: (2000, 1500), settings: settings) == [1])
    }

    @Test("(d) KV memory counts at its peak, which is less than all contexts at their ends")
    func kvPeak() {
        var profile = LatencyProfile.packing()
        // When the first ends: 100 + 10 + 8 + 100 + 10 + 8; when the second ends: 100 + 1,000 + 8.
        profile.kvCache.capacityTokens = 1108
        #expect(place((100, 10), beside: (100, 1000), profile: profile) == [1])
        profile.kvCache.capacityTokens = 1100
        #expect(place((100, 10), beside: (90, 1000), profile: profile) == [1])
        // 2 · (100 + 900 + 8) when both end, less one: the other is a token ahead.
        profile.kvCache.capacityTokens = 2015
        #expect(place((100, 900), beside: (100, 900), profile: profile) == [1])
        profile.kvCache.capacityTokens = 2014
        #expect(place((100, 900), beside: (100, 900), profile: profile) == [2])
    }

    @Test("(e) No worker gets more sequences than it takes")
    func sequences() {
        var profile = LatencyProfile.packing()
        profile.limits.maximumSequences = 1
        #expect(place((100, 50), beside: (100, 50), profile: profile) == [2])
        profile.limits.maximumSequences = 2
        #expect(place((100, 50), beside: (100, 50), profile: profile) == [1])
    }

    @Test("The fullest worker comes first, an idle one only when no other will do")
    func fullestFirst() throws {
        var cluster = PackingCluster(BestFit(.loose), workers: 4)
        for (number, worker, input) in [(1, 1, 100), (2, 2, 900), (3, 3, 300)] as [(UInt64, UInt64, Int)] {
            cluster.arrive(number, input: input, output: 100)
            cluster.put(number, on: worker)
        }
        cluster.arrive(10, input: 100, output: 100)
        #expect(cluster.decide() == [2])
        #expect(try #require(cluster.policy).opened == 0)
        var settings = BestFit.Settings.loose
        settings.packs = false
        cluster = PackingCluster(BestFit(settings), workers: 3)
        for number: UInt64 in 1...3 { cluster.arrive(number, input: 100, output: 100) }
        #expect(cluster.decide() == [1, 2, 3])
        #expect(try #require(cluster.policy).opened == 3)
    }

    @Test("What fits nowhere waits until its time is short, then goes where it does least harm and is counted")
    func holds() throws {
        var profile = LatencyProfile.packing()
        profile.limits.maximumSequences = 2
        var cluster = PackingCluster(BestFit(.loose), workers: 2, profile: profile)
        for number: UInt64 in 1...4 {
            cluster.arrive(number, input: 100, output: 500, timeToFirstToken: 10_000)
            cluster.put(number, on: 1 + number % 2)
        }
        cluster.decide()
        cluster.arrive(9, input: 100, output: 10, timeToFirstToken: 1000)
        #expect(cluster.decide() == [])
        // 1 s less a reserve of 15 % and its prefill of 20 ms.
        #expect(cluster.lookAgain == Instant.zero + .milliseconds(830))
        cluster.advance(to: Instant.zero + .milliseconds(829))
        #expect(cluster.placements.isEmpty)
        cluster.advance(to: Instant.zero + .milliseconds(831))
        #expect(cluster.placements.map(\.query) == [9])
        #expect(try #require(cluster.policy).degraded == 1)

        var settings = BestFit.Settings.loose
        settings.holds = false
        cluster = PackingCluster(BestFit(settings), workers: 1, profile: profile)
        for number: UInt64 in 1...3 { cluster.arrive(number, input: 100, output: 50) }
        #expect(cluster.decide() == [1, 1, 1])
        #expect(try #require(cluster.policy).degraded == 1)
    }

    @Test("A held query goes as soon as one that stood in its way has ended")
    func takesWhatBecomesFree() throws {
        var profile = LatencyProfile.packing()
        profile.limits.maximumSequences = 1
        var cluster = PackingCluster(BestFit(.loose), workers: 1, profile: profile)
        cluster.arrive(1, input: 100, output: 10)
        cluster.arrive(2, input: 100, output: 10)
        #expect(cluster.decide() == [1])
        cluster.advance(to: Instant.zero + .milliseconds(1000))
        #expect(cluster.placements.map(\.query) == [1, 2])
        #expect(try #require(cluster.policy).degraded == 0)
    }

    @Test("A worker whose only query has ended since is empty again")
    func forgetsWhatEnded() {
        var profile = LatencyProfile.packing()
        profile.limits.maximumSequences = 1
        var cluster = PackingCluster(BestFit(.loose), workers: 1, profile: profile)
        for number: UInt64 in 1...3 {
            cluster.arrive(number, input: 100, output: 1)
            #expect(cluster.decide() == [1])
            cluster.advance(to: cluster.now + .milliseconds(1000))
        }
        #expect(cluster.ended == 3)
    }

    @Test("Without hints, or not trusting them, the mean of similar prompts is what counts")
    func predictedLengths() {
        var lengths = LengthHistory()
        for _ in 0..<300 { lengths.observe(outputTokens: 1000, model: "m", inputTokens: 100) }
        for _ in 0..<300 { lengths.observe(outputTokens: 10, model: "m", inputTokens: 1000) }
        var profile = LatencyProfile.packing()
        profile.kvCache.capacityTokens = 2500
        for trusts in [true, false] {
            var settings = BestFit.Settings.loose
            settings.trustsHints = trusts
            // Told to be 10 tokens long, like prompts are 1,000: 2 · (100 + 1,000 + 8) + 120 do not fit 2,500 with a third.
            var cluster = PackingCluster(BestFit(settings), workers: 2, profile: profile, lengths: lengths)
            for number: UInt64 in 1...3 { cluster.arrive(number, input: 100, output: 10) }
            #expect(cluster.decide() == (trusts ? [1, 1, 1] : [1, 1, 2]))
        }
        var cluster = PackingCluster(BestFit(.loose), workers: 2, profile: profile, lengths: lengths)
        for number: UInt64 in 1...2 { cluster.arrive(number, input: 1000, output: 10, isTold: false) }
        #expect(cluster.decide() == [1, 1])
    }

    @Test("Of a split group of workers each packs its own, and a query keeps its group")
    func groups() throws {
        var settings = BestFit.Settings.loose
        settings.groups = 2
        var cluster = PackingCluster(BestFit(settings), workers: 6)
        for number: UInt64 in 1...20 { cluster.arrive(number, input: 100, output: 100) }
        let placed = cluster.decide()
        // Workers 1, 3, 5 are one group and 2, 4, 6 the other: the two are filled alike, the first of each.
        #expect(Set(placed) == [1, 2])
        #expect(abs(placed.count { $0 == 1 } - 10) <= 1)
        // More groups than workers are as many as there are workers.
        settings.groups = 50
        cluster = PackingCluster(BestFit(settings), workers: 3)
        for number: UInt64 in 1...60 { cluster.arrive(number, input: 10, output: 10) }
        #expect(Set(cluster.decide()) == [1, 2, 3])
    }

    @Test("Settings are read from the policy's name, and nonsense is refused")
    func settings() throws {
        let text = "aladdin-paper:theta=0.8:gamma=0.4:rebalance=off:groups=4:chance=on:delta=0.01"
        let policy = try #require(try PolicyCatalog.make(text, seed: 1) as? BestFit)
        #expect(policy.settings.theta == 0.8)
        #expect(policy.settings.gamma == 0.4)
        #expect(!policy.settings.rebalances)
        #expect(policy.settings.groups == 4)
        #expect(policy.settings.chance?.delta == 0.01)
        let plain = try #require(try PolicyCatalog.make("aladdin-paper", seed: 1) as? BestFit)
        #expect(plain.settings == BestFit.Settings())
        #expect(plain.settings.chance == nil)
        for wrong in ["theta=2", "gamma=-1", "rebalance=maybe", "groups=0", "thita=0.9"] {
            #expect(throws: PolicyError.self) { try PolicyCatalog.make("aladdin-paper:\(wrong)", seed: 1) }
        }
    }
}
