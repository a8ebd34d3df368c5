import ServingModel
import Testing

@testable import Scheduling

@Suite("Placing queries where their beginnings are")
struct PrefixPlacementTests {
    private let objective = ServiceLevelObjective(
        timeToFirstToken: .milliseconds(2000),
        averageTokenTime: .milliseconds(100)
    )

    /// Workers that keep prefixes, each running one query with long answers before it.
    private func scheduler(_ policy: String = "aladdin", workers: UInt64 = 4, keeps: Bool = true) throws -> Scheduler {
        var lengths = LengthHistory()
        for index in 0..<1000 { lengths.observe(outputTokens: 20 + index % 200, model: "m", inputTokens: 100) }
        var scheduler = Scheduler(
            policy: try PolicyCatalog.make(policy, seed: 1),
            lengths: lengths,
            learnsStepTimes: false,
            explains: true
        )
        for worker in 1...workers {
            guard case .workerJoined(var joined) = ClusterEvent.joined(worker) else { continue }
            joined.keepsPrefixes = keeps
            joined.batching = .prefillPriority
            joined.profile.kvCache.capacityTokens = 100_000
            scheduler.apply(.workerJoined(joined), at: .zero)
            scheduler.apply(.queued(1000 + worker, objective: objective), at: .zero)
            scheduler.apply(.queryDispatched(QueryNumber(1000 + worker), to: WorkerID(worker), attempt: 1), at: .zero)
        }
        scheduler.apply(.snapshotComplete, at: .zero)
        _ = scheduler.decide(at: .zero)
        return scheduler
    }

    private func query(_ number: UInt64, _ blocks: [UInt64], tokens: Int = 1000) throws -> ClusterEvent {
        guard case .queryQueued(var query) = ClusterEvent.queued(number, inputTokens: tokens, objective: objective)
        else { throw NoQuery() }
        query.blocks = blocks
        query.blockShare = 100 / Double(tokens)
        return .queryQueued(query)
    }

    private struct NoQuery: Error {}

    /// Steps of every worker each 10 ms, ten times as fast as the pace asked for.
    private func run(_ scheduler: inout Scheduler, workers: UInt64 = 4, from: Int64, to: Int64) -> [Placement] {
        var placements: [Placement] = []
        for time in stride(from: from, through: to, by: 10) {
            for worker in 1...workers {
                scheduler.apply(.step(worker, 1000 + worker), at: .zero + .milliseconds(time))
            }
            placements += scheduler.decide(at: .zero + .milliseconds(time)).placements
        }
        return placements
    }

    @Test("A query most of whose prompt a worker holds goes there at once, and is predicted to be quick")
    func home() throws {
        var scheduler = try scheduler()
        _ = run(&scheduler, from: 10, to: 500)
        let now = Instant.zero + .milliseconds(505)
        scheduler.apply(try query(1, [1, 2, 3, 4, 5, 6, 7, 8]), at: now)
        scheduler.apply(.queryDispatched(QueryNumber(1), to: WorkerID(3), attempt: 1), at: now)
        scheduler.apply(.ended(1), at: now)
        scheduler.apply(try query(2, [1, 2, 3, 4, 5, 6, 7, 8, 9]), at: now)
        let placements = scheduler.decide(at: now).placements
        #expect(placements.map(\.worker) == [WorkerID(3)])
        let explanation = try #require(placements.first?.explanation)
        #expect(explanation.reason == "its beginning is there")
        #expect(explanation.candidates[0].terms.contains { $0.name == "cached" && $0.value == 800 })
        // 10 ms and 200 tokens at 0.1 ms, and what attention to the other 800 costs; 110 ms if all were computed.
        let first = try #require(placements[0].predictedTimeToFirstToken)
        #expect(first < .milliseconds(60))
    }

    @Test("Without the switch, on workers that keep nothing, or for a small match it waits like any other")
    func noHome() throws {
        for (policy, keeps, blocks) in [
            ("aladdin:light-load=0:prefix=off", true, [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]),
            ("aladdin:light-load=0", false, [1, 2, 3, 4, 5, 6, 7, 8]),
            ("aladdin:light-load=0", true, [1, 2, 33, 34, 35, 36, 37, 38]),
        ] {
            var scheduler = try scheduler(policy, keeps: keeps)
            _ = run(&scheduler, from: 10, to: 500)
            let now = Instant.zero + .milliseconds(505)
            scheduler.apply(try query(1, [1, 2, 3, 4, 5, 6, 7, 8]), at: now)
            scheduler.apply(.queryDispatched(QueryNumber(1), to: WorkerID(3), attempt: 1), at: now)
            scheduler.apply(.ended(1), at: now)
            scheduler.apply(try query(2, blocks), at: now)
            #expect(scheduler.decide(at: now).placements.isEmpty)
        }
    }

    @Test("A beginning that everybody has in common spreads over the workers instead of burying one")
    func popular() throws {
        var scheduler = try scheduler()
        _ = run(&scheduler, from: 10, to: 500)
        let blocks: [UInt64] = [1, 2, 3, 4, 5, 6]
        var sent: [WorkerID: Int] = [:]
        let start = Instant.zero + .milliseconds(505)
        scheduler.apply(try query(1, blocks), at: start)
        scheduler.apply(.queryDispatched(QueryNumber(1), to: WorkerID(3), attempt: 1), at: start)
        // Forty milliseconds of prefill each, and no worker reports an end: what is sent stays in its queue.
        for number: UInt64 in 2...81 {
            let now = start + .milliseconds(Int64(number) * 12)
            scheduler.apply(try query(number, blocks), at: now)
            for placement in scheduler.decide(at: now).placements { sent[placement.worker, default: 0] += 1 }
        }
        for time in stride(from: Int64(1500), through: 4000, by: 20) {
            for placement in scheduler.decide(at: .zero + .milliseconds(time)).placements {
                sent[placement.worker, default: 0] += 1
            }
        }
        #expect(sent.values.reduce(0, +) >= 60)
        #expect(sent.count == 4, "\(sent)")
        #expect(sent.values.max() ?? 0 <= 50, "\(sent)")
    }

    @Test("Who leaves is not waited for")
    func homeLeaves() throws {
        var scheduler = try scheduler("aladdin:light-load=0")
        _ = run(&scheduler, from: 10, to: 500)
        let now = Instant.zero + .milliseconds(505)
        scheduler.apply(try query(1, [1, 2, 3, 4, 5, 6, 7, 8]), at: now)
        scheduler.apply(.queryDispatched(QueryNumber(1), to: WorkerID(3), attempt: 1), at: now)
        scheduler.apply(.ended(1), at: now)
        scheduler.apply(.workerLeft(WorkerID(3), isDraining: true), at: now)
        scheduler.apply(try query(2, [1, 2, 3, 4, 5, 6, 7, 8]), at: now)
        #expect(scheduler.decide(at: now).placements.isEmpty)
        #expect(scheduler.decide(at: now + .milliseconds(1900)).placements.first?.worker != WorkerID(3))
    }
}
