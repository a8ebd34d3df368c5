import RecordTables
import ServingModel
import Testing

@testable import Scheduling

@Suite("Placing the two phases of split workers")
struct SplitPhasePlacementTests {
    private func scheduler(
        _ policy: String = "aladdin",
        _ workers: [(id: UInt64, role: WorkerRole, exchange: String)]
    ) throws -> Scheduler {
        let policy = try PolicyCatalog.make(policy, seed: 1)
        var scheduler = Scheduler(policy: policy, learnsStepTimes: false, explains: true)
        for worker in workers { join(&scheduler, worker.id, worker.role, worker.exchange) }
        scheduler.apply(.snapshotComplete, at: .zero)
        return scheduler
    }

    private func join(_ scheduler: inout Scheduler, _ id: UInt64, _ role: WorkerRole, _ exchange: String) {
        guard case .workerJoined(var joined) = ClusterEvent.joined(id) else { return }
        joined.role = role
        joined.kvExchange = exchange
        joined.batching = .prefillPriority
        scheduler.apply(.workerJoined(joined), at: .zero)
    }

    private func prefilled(_ number: UInt64, exchange: String, tokens: Int = 100) -> ClusterEvent {
        guard case .queryQueued(var query) = ClusterEvent.queued(number, inputTokens: tokens, outputTokens: 1) else {
            return .snapshotComplete
        }
        query.handover = QueuedQuery.Handover(exchange: exchange, firstTokenAge: .milliseconds(2))
        return .queryQueued(query)
    }

    private func places(_ scheduler: inout Scheduler, at now: Instant = .zero) -> [UInt64: UInt64] {
        let placements = scheduler.decide(at: now).placements
        return Dictionary(uniqueKeysWithValues: placements.map { ($0.query.rawValue, $0.worker.rawValue) })
    }

    private static let pair: [(id: UInt64, role: WorkerRole, exchange: String)] = [
        (1, .prefill, "x"), (2, .decode, "x"),
    ]

    @Test(
        "Whatever the policy, prompts go to prefill workers and the rest to decode workers",
        arguments: PolicyCatalog.names
    )
    func phases(policy: String) throws {
        var scheduler = try scheduler(
            policy,
            [(1, .prefill, "x"), (2, .decode, "x"), (3, .prefill, "x"), (4, .decode, "x")]
        )
        for number: UInt64 in 1...8 { scheduler.apply(.queued(number), at: .zero) }
        let prompts = places(&scheduler)
        #expect(prompts.count == 8 && Set(prompts.values) == [1, 3])
        for number: UInt64 in 11...18 { scheduler.apply(prefilled(number, exchange: "x"), at: .zero) }
        var decodes = places(&scheduler)
        // Policies that hold look again.
        for second: Int64 in 1...60 where decodes.count < 8 {
            decodes.merge(places(&scheduler, at: .zero + .seconds(second))) { $1 }
        }
        #expect(decodes.count == 8 && Set(decodes.values).isSubset(of: [2, 4]))
    }

    @Test("A prompt goes to where its first token comes soonest")
    func soonest() throws {
        var scheduler = try scheduler("jsq", [(1, .prefill, "x"), (2, .decode, "x"), (3, .prefill, "x")])
        scheduler.apply(.queued(1, inputTokens: 3000), at: .zero)
        #expect(places(&scheduler) == [1: 1])
        for number: UInt64 in 2...4 { scheduler.apply(.queued(number, inputTokens: 500), at: .zero) }
        #expect(Set(places(&scheduler).values) == [3])
        let explanation = scheduler.view.queries[QueryNumber(4)]
        #expect(explanation?.worker == WorkerID(3))
    }

    @Test("Workers for both phases take prompts and decodes alike")
    func both() throws {
        var scheduler = try scheduler("jsq", [(1, .prefill, "x"), (2, .both, "x")])
        for number: UInt64 in 1...2 { scheduler.apply(.queued(number), at: .zero) }
        #expect(Set(places(&scheduler).values) == [1, 2])
        scheduler.apply(prefilled(3, exchange: "x"), at: .zero)
        #expect(places(&scheduler) == [3: 2])
    }

    @Test("A KV cache is for workers with the same exchange; without one the query starts over at a prefill worker")
    func exchanges() throws {
        var scheduler = try scheduler(
            "least-kv",
            [(1, .prefill, "x"), (2, .decode, "x"), (3, .prefill, "y"), (4, .decode, "y")]
        )
        for number: UInt64 in 1...4 {
            scheduler.apply(prefilled(number, exchange: number.isMultiple(of: 2) ? "x" : "y"), at: .zero)
        }
        #expect(places(&scheduler) == [1: 4, 2: 2, 3: 4, 4: 2])
        scheduler.apply(prefilled(5, exchange: "z"), at: .zero)
        let place = try #require(places(&scheduler)[5])
        #expect([1, 3].contains(place))
        let slot = try #require(scheduler.view.slot(of: WorkerID(place)))
        #expect(scheduler.view.workers[slot].waitingTokens == 101)
    }

    @Test("Where one kind is missing the other does everything", arguments: [WorkerRole.prefill, .decode])
    func alone(role: WorkerRole) throws {
        var scheduler = try scheduler("aladdin", [(1, role, "x"), (2, role, "x")])
        for number: UInt64 in 1...4 { scheduler.apply(.queued(number), at: .zero) }
        scheduler.apply(prefilled(5, exchange: "x"), at: .zero)
        #expect(places(&scheduler).count == 5)
    }

    @Test("With the last worker of one phase gone all are alike again")
    func noLongerSplit() throws {
        var scheduler = try scheduler("round-robin", [(1, .both, "x"), (2, .decode, "x"), (3, .both, "x")])
        #expect(scheduler.view.isSplit("m"))
        scheduler.apply(.workerLeft(WorkerID(2), isDraining: true), at: .zero)
        #expect(!scheduler.view.isSplit("m"))
        for number: UInt64 in 1...4 { scheduler.apply(.queued(number), at: .zero) }
        #expect(Set(places(&scheduler).values) == [1, 3])
        // Its leaving changes the slots of those behind it.
        scheduler.apply(.workerLeft(WorkerID(2), isDraining: false), at: .zero)
        scheduler.apply(.queued(5), at: .zero)
        #expect(places(&scheduler).count == 1)
    }

    @Test("What arrives prefilled counts as a resident, and gets tokens from the step that names it on")
    func joining() throws {
        var scheduler = try scheduler("jsq", Self.pair)
        for number: UInt64 in 1...2 { scheduler.apply(prefilled(number, exchange: "x"), at: .zero) }
        #expect(places(&scheduler) == [1: 2, 2: 2])
        func tokens() -> [Int] {
            let worker = scheduler.view.workers[1]
            return worker.residents.map { worker.outputTokens(of: $0) }
        }
        #expect(scheduler.view.workers[1].contextTokens == 202)
        scheduler.apply(.step(2, 1), at: .zero)
        #expect(tokens() == [2, 1] && scheduler.view.workers[1].joining == [QueryNumber(2)])
        scheduler.apply(.step(2, 1, 2), at: .zero)
        #expect(tokens() == [3, 2] && scheduler.view.workers[1].joining.isEmpty)
        #expect(scheduler.view.workers[1].contextTokens == 205)
        // One that a step leaves out later was preempted.
        scheduler.apply(.step(2, 1), at: .zero)
        #expect(scheduler.view.workers[1].waiting.map(\.number) == [QueryNumber(2)])
        for number: UInt64 in 1...2 { scheduler.apply(.ended(number), at: .zero) }
        #expect(scheduler.view.workers[1].isIdle && scheduler.view.workers[1].contextTokens == 0)
    }

    @Test("A query that comes back prefilled has left the worker that computed its prompt")
    func leavesPrefillWorker() throws {
        var scheduler = try scheduler("jsq", Self.pair)
        scheduler.apply(.queued(1), at: .zero)
        #expect(places(&scheduler) == [1: 1])
        scheduler.apply(.queryDispatched(QueryNumber(1), to: WorkerID(1), attempt: 1), at: .zero)
        scheduler.apply(.step(1, 1), at: .zero)
        scheduler.apply(prefilled(1, exchange: "x"), at: .zero)
        #expect(scheduler.view.workers[0].isIdle)
        #expect(places(&scheduler) == [1: 2])
    }
}
