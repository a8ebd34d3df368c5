import RecordTables
import ServingModel
import Testing

@testable import Scheduling

@Suite("Queries that have failed on a worker")
struct RepetitionTests {
    private func scheduler(_ policy: String, workers: UInt64, kvTokens: Int = 10_000) throws -> Scheduler {
        var scheduler = Scheduler(
            policy: try PolicyCatalog.make(policy, seed: 1),
            learnsStepTimes: false,
            explains: true
        )
        for worker in 1...workers {
            var profile = LatencyProfile.sample()
            if worker > 1 { profile.kvCache.capacityTokens = kvTokens }
            scheduler.apply(.joined(worker, profile: profile), at: .zero)
        }
        scheduler.apply(.snapshotComplete, at: .zero)
        return scheduler
    }

    private func retried(_ number: UInt64, failedOn worker: UInt64, inputTokens: Int = 100) -> ClusterEvent {
        guard case .queryQueued(var query) = ClusterEvent.queued(number, attempt: 2, inputTokens: inputTokens) else {
            return .snapshotComplete
        }
        query.failedOn = WorkerID(worker)
        return .queryQueued(query)
    }

    @Test(
        "Whatever the policy, the next attempt is another worker's, and the view knows it",
        arguments: PolicyCatalog.names
    )
    func avoided(policy: String) throws {
        for failed: UInt64 in 1...3 {
            var scheduler = try scheduler(policy, workers: 3)
            for number: UInt64 in 1...6 {
                scheduler.apply(retried(number, failedOn: failed), at: .zero)
                var placement = scheduler.decide(at: .zero).placements.first
                for second: Int64 in 1...30 where placement == nil {
                    placement = scheduler.decide(at: .zero + .seconds(second)).placements.first
                }
                let worker = try #require(placement?.worker)
                #expect(worker != WorkerID(failed))
                #expect(scheduler.view.queries[QueryNumber(number)]?.worker == worker)
            }
            #expect(scheduler.view.workers.first { $0.id == WorkerID(failed) }?.isIdle == true)
        }
    }

    @Test("Where no other worker can take it, the same one gets it again")
    func unavoidable() throws {
        var alone = try scheduler("jsq", workers: 1)
        alone.apply(retried(1, failedOn: 1), at: .zero)
        #expect(alone.decide(at: .zero).placements.map(\.worker) == [WorkerID(1)])
        // The others' memory is too small for it.
        var small = try scheduler("jsq", workers: 2, kvTokens: 400)
        small.apply(retried(1, failedOn: 1, inputTokens: 1000), at: .zero)
        #expect(small.decide(at: .zero).placements.map(\.worker) == [WorkerID(1)])
    }

    @Test("It says why")
    func explained() throws {
        var scheduler = try scheduler("aladdin", workers: 2)
        scheduler.apply(retried(1, failedOn: 1), at: .zero)
        let placement = try #require(scheduler.decide(at: .zero).placements.first)
        #expect(placement.worker == WorkerID(2))
        let explanation = try #require(placement.explanation)
        #expect(explanation.reason == "its last attempt failed on the worker that the policy chose")
        #expect(explanation.candidates.first?.worker == WorkerID(2))
        #expect(explanation.candidates.last?.failed == "its last attempt failed here")
    }
}
