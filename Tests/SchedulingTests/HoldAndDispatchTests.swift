import ServingModel
import Testing

@testable import Scheduling

@Suite("Hold and dispatch")
struct HoldAndDispatchTests {
    /// Workers that are busy: each runs one query.
    ///
    /// - Parameter answers: the lengths of which history tells.
    private func scheduler(
        _ policy: HoldAndDispatch = HoldAndDispatch(),
        workers: Int = 2,
        answers: ClosedRange<Int> = 20...219,
        places: Int = 256,
        explains: Bool = false
    ) -> Scheduler {
        var lengths = LengthHistory()
        for index in 0..<1000 {
            let length = answers.lowerBound + index % answers.count
            lengths.observe(outputTokens: length, model: "m", inputTokens: 100)
        }
        var scheduler = Scheduler(policy: policy, lengths: lengths, learnsStepTimes: false, explains: explains)
        for worker in 1...UInt64(workers) {
            var joined = ClusterEvent.joined(worker)
            if case .workerJoined(var description) = joined {
                description.batching = .prefillPriority
                description.profile.kvCache.capacityTokens = 100_000
                description.profile.limits.maximumSequences = places
                joined = .workerJoined(description)
            }
            scheduler.apply(joined, at: .zero)
            scheduler.apply(.queued(1000 + worker, objective: objective), at: .zero)
            scheduler.apply(.queryDispatched(QueryNumber(1000 + worker), to: WorkerID(worker), attempt: 1), at: .zero)
        }
        scheduler.apply(.snapshotComplete, at: .zero)
        _ = scheduler.decide(at: .zero)
        return scheduler
    }

    private let objective = ServiceLevelObjective(
        timeToFirstToken: .milliseconds(2000),
        averageTokenTime: .milliseconds(100)
    )

    /// Steps of every worker each 10 ms up to an instant, far faster than the objective asks.
    private func run(_ scheduler: inout Scheduler, workers: Int = 2, until end: Int64) -> [Placement] {
        var placements: [Placement] = []
        for time in stride(from: Int64(10), through: end, by: 10) {
            let now = Instant.zero + .milliseconds(time)
            for worker in 1...UInt64(workers) { scheduler.apply(.step(worker, 1000 + worker), at: now) }
            placements += scheduler.decide(at: now).placements
        }
        return placements
    }

    private func queueTwelve(in scheduler: inout Scheduler, at now: Instant) {
        for number: UInt64 in 1...12 {
            scheduler.apply(.queued(number, inputTokens: 1000, objective: objective), at: now)
        }
    }

    @Test("A query whose model lost its last worker goes to no other model's")
    func modelWithoutWorkers() {
        var scheduler = Scheduler(policy: HoldAndDispatch())
        scheduler.apply(.joined(1), at: .zero)
        scheduler.apply(.queued(1), at: .zero)
        scheduler.apply(.queued(2, model: "other"), at: .zero)
        scheduler.apply(.snapshotComplete, at: .zero)
        for time: Int64 in [0, 1, 3000] {
            let placements = scheduler.decide(at: .zero + .milliseconds(time)).placements
            #expect(placements.allSatisfy { $0.query == QueryNumber(1) })
        }
        scheduler.apply(.joined(2, model: "other"), at: .zero + .seconds(4))
        let placements = scheduler.decide(at: .zero + .seconds(4)).placements
        #expect(placements.map(\.query) == [QueryNumber(2)] && placements.map(\.worker) == [WorkerID(2)])
    }

    @Test("Where the worker whose turn it is has no memory left, the roomiest is asked as well")
    func roomiest() {
        var settings = HoldAndDispatch.Settings()
        settings.candidates = 1
        var scheduler = scheduler(HoldAndDispatch(settings))
        scheduler.apply(.queued(900, inputTokens: 99_000, objective: objective), at: .zero)
        scheduler.apply(.queryDispatched(QueryNumber(900), to: WorkerID(1), attempt: 1), at: .zero)
        scheduler.apply(.queued(901, inputTokens: 10, objective: objective), at: .zero + .milliseconds(1))
        scheduler.apply(.queryDispatched(QueryNumber(901), to: WorkerID(2), attempt: 1), at: .zero + .milliseconds(1))
        scheduler.apply(.queued(5, inputTokens: 1000, objective: objective), at: .zero + .milliseconds(2))
        let decision = scheduler.decide(at: .zero + .milliseconds(1650))
        #expect(decision.placements.map(\.worker) == [WorkerID(2)])
    }

    @Test("An idle worker is given a query at once")
    func idleWorker() {
        var scheduler = scheduler(workers: 1)
        scheduler.apply(.joined(2), at: .zero)
        scheduler.apply(.queued(5, objective: objective), at: .zero)
        let decision = scheduler.decide(at: .zero)
        #expect(decision.placements.map(\.worker) == [WorkerID(2)])
        #expect(decision.placements[0].predictedTimeToFirstToken != nil)
    }

    @Test("While workers have room to spare a lone query is not held", arguments: [100, 12])
    func roomToSpare(tokenTime: Int64) {
        // Their residents have a token each 10 ms, which leaves room under 100 ms and next to none under 12.
        var scheduler = scheduler()
        _ = run(&scheduler, until: 300)
        let now = Instant.zero + .milliseconds(300)
        let objective = ServiceLevelObjective(
            timeToFirstToken: .milliseconds(2000),
            averageTokenTime: .milliseconds(tokenTime)
        )
        scheduler.apply(.queued(5, objective: objective), at: now)
        #expect(scheduler.decide(at: now).placements.count == (tokenTime == 100 ? 1 : 0))
    }

    @Test("A lone query is held until its slack is used up, and goes out in time")
    func holdsUntilLastCall() throws {
        // What has room to spare would take it at once.
        var settings = HoldAndDispatch.Settings()
        settings.lightLoad = 0
        var scheduler = scheduler(HoldAndDispatch(settings))
        scheduler.apply(.queued(5, objective: objective), at: .zero)
        let decision = scheduler.decide(at: .zero)
        #expect(decision.placements.isEmpty)
        // Queued 5 ms ago; its prefill takes 20 ms and 15 % of 2 s are kept in reserve.
        let last = try #require(decision.lookAgain)
        #expect(abs(last.seconds - (2 - 0.005 - 0.3 - 0.02)) < 0.002)
        #expect(run(&scheduler, until: 1600).isEmpty)
        #expect(scheduler.decide(at: last).placements.map(\.query) == [QueryNumber(5)])
    }

    @Test("A full batch goes out together, to one worker, as soon as that harms nobody")
    func sendsFullBatches() {
        var scheduler = scheduler()
        // The residents run ahead: after 1 s they have 90 tokens more than their pace asks for.
        _ = run(&scheduler, until: 1000)
        let now = Instant.zero + .milliseconds(1000)
        queueTwelve(in: &scheduler, at: now)
        let placements = scheduler.decide(at: now).placements
        // 0.25 × 2 s of prefill at 0.1 ms a token are four prompts of 1,000 tokens and a bit.
        #expect(placements.count == 8)
        #expect(placements.prefix(4).allSatisfy { $0.worker == placements[0].worker })
        #expect(placements.suffix(4).allSatisfy { $0.worker == placements[4].worker })
        #expect(placements[0].worker != placements[4].worker, "the next goes where the last prefill is longest ago")
    }

    @Test("A full batch waits while every worker's residents would suffer")
    func waitsForCredit() {
        // Answers are so short that a resident with two tokens can't make up for a stall of 0.4 s.
        var scheduler = scheduler(answers: 1...4)
        let now = Instant.zero + .milliseconds(10)
        for worker: UInt64 in 1...2 { scheduler.apply(.step(worker, 1000 + worker), at: now) }
        queueTwelve(in: &scheduler, at: now)
        let decision = scheduler.decide(at: now)
        #expect(decision.placements.isEmpty)
        #expect(decision.lookAgain == now + .milliseconds(20))
        let later = run(&scheduler, until: 200)
        #expect(later.count >= 4, "once they are ahead the batch goes, long before its slack is used up")
    }

    @Test("Without holding every query goes at once; without batches one by one")
    func switches() throws {
        var settings = try PolicySettings("aladdin:hold=off")
        var scheduler = scheduler(HoldAndDispatch(try .init(&settings)))
        for number: UInt64 in 1...3 { scheduler.apply(.queued(number, objective: objective), at: .zero) }
        #expect(scheduler.decide(at: .zero).placements.count == 3)
        #expect(throws: PolicyError.self) { try PolicyCatalog.make("aladdin:hold=maybe", seed: 1) }
        #expect(throws: PolicyError.self) { try PolicyCatalog.make("aladdin:speed=9", seed: 1) }
    }

    @Test("What costs more than it is worth is given up, and served when it harms nobody", arguments: [true, false])
    func sheds(isOn: Bool) throws {
        var settings = HoldAndDispatch.Settings()
        settings.sheds = isOn
        var scheduler = scheduler(HoldAndDispatch(settings), workers: 1)
        // A prompt that takes longer than its own TTFT objective can't be in time anywhere.
        scheduler.apply(.queued(7, inputTokens: 30_000, objective: objective), at: .zero)
        let decision = scheduler.decide(at: .zero)
        #expect(decision.placements.isEmpty == isOn)
        #expect(scheduler.view.deferred.count == (isOn ? 1 : 0))
        let later = run(&scheduler, workers: 1, until: 6000)
        #expect(later.map(\.query) == (isOn ? [QueryNumber(7)] : []), "it goes once the resident is 3 s ahead")
        #expect(scheduler.view.deferred.isEmpty)
    }

    @Test("What is late already goes to an idle worker at once")
    func lateQueryOnIdleWorkers() {
        var scheduler = scheduler(workers: 1)
        let now = Instant.zero + .milliseconds(100)
        scheduler.apply(.ended(1001), at: now)
        var event = ClusterEvent.queued(8, objective: objective)
        if case .queryQueued(var queued) = event {
            queued.age = .seconds(10)
            event = .queryQueued(queued)
        }
        scheduler.apply(event, at: now)
        #expect(scheduler.decide(at: now).placements.map(\.query) == [QueryNumber(8)])
    }

    @Test("However many are late, a worker with few places is never left idle while one waits", arguments: [1, 4, 16])
    func lateQueriesOnFewPlaces(places: Int) {
        var scheduler = scheduler(workers: 1, places: places)
        var now = Instant.zero + .milliseconds(100)
        for number: UInt64 in 1...60 {
            var event = ClusterEvent.queued(number, inputTokens: 20, objective: objective)
            if case .queryQueued(var queued) = event {
                queued.age = .seconds(10)
                event = .queryQueued(queued)
            }
            scheduler.apply(event, at: now)
        }
        scheduler.apply(.ended(1001), at: now)
        var served = 0
        while served < 60 {
            let placed = scheduler.decide(at: now).placements.map(\.query.rawValue)
            guard !placed.isEmpty else { break }
            #expect(placed.count <= places)
            for query in placed {
                scheduler.apply(.queryDispatched(QueryNumber(query), to: WorkerID(1), attempt: 1), at: now)
            }
            now = now + .milliseconds(10)
            for query in placed { scheduler.apply(.ended(query), at: now) }
            served += placed.count
        }
        #expect(served == 60)
    }

    @Test("Given up first: the lowest priority, the best served tenant, who is lost anyway, the longest prompt")
    func victims() throws {
        var policy = HoldAndDispatch()
        let worker = scheduler(workers: 1).view.workers[0]
        func query(_ number: UInt64, tokens: Int, priority: Int = 0, tenant: String = "") -> UnplacedQuery {
            var event = ClusterEvent.queued(number, inputTokens: tokens)
            if case .queryQueued(var queued) = event {
                queued.priority = priority
                queued.tenant = tenant
                event = .queryQueued(queued)
            }
            var view = ClusterView()
            view.apply(event, at: .zero)
            return view.unplaced.first!
        }
        var batch = DispatchBatch(of: query(1, tokens: 10), on: worker.promptTiming)
        batch.add(query(2, tokens: 900), on: worker.promptTiming)
        #expect(policy.victim(of: batch, misses: [0, 0])?.number == QueryNumber(2))
        #expect(policy.victim(of: batch, misses: [1, 0])?.number == QueryNumber(1), "it is lost anyway")
        batch.add(query(3, tokens: 5, tenant: "greedy"), on: worker.promptTiming)
        for _ in 0..<9 { policy.shares.charge(query(9, tokens: 5000, tenant: "greedy"), answering: 100) }
        #expect(policy.victim(of: batch, misses: [0, 1, 0])?.number == QueryNumber(3))
        batch.add(query(4, tokens: 1, priority: -1), on: worker.promptTiming)
        #expect(policy.victim(of: batch, misses: [0, 1, 0, 0])?.number == QueryNumber(4))
    }

    @Test("An explanation names the candidates and what each would cost")
    func explains() throws {
        var scheduler = scheduler(explains: true)
        scheduler.apply(.queued(5, objective: objective), at: .zero)
        let last = try #require(scheduler.decide(at: .zero).lookAgain)
        let placement = try #require(scheduler.decide(at: last).placements.first)
        let explanation = try #require(placement.explanation)
        #expect(explanation.reason == "its slack was used up")
        #expect(explanation.candidates.count == 2)
        #expect(explanation.candidates[0].worker == placement.worker)
        #expect(explanation.candidates[0].terms.map(\.name).contains("hazard"))
    }
}
