import Scheduling
import ServingModel
import Testing

@Suite("Another policy for a scheduler at work")
struct PolicyChangeTests {
    @Test("It waits for a snapshot, places what that has, and keeps what was learnt of workers that are still there")
    func keepsStepTimes() throws {
        var scheduler = Scheduler(policy: try PolicyCatalog.make("jsq", seed: 1))
        scheduler.apply([.joined(1), .joined(2), .snapshotComplete], at: .zero)
        for second: Int64 in 1...200 { scheduler.apply(.step(1, 9), at: .zero + .seconds(second)) }
        let learnt = try #require(scheduler.view.workers.first)
        #expect(learnt.estimator.steps == 200)

        scheduler.restart(with: try PolicyCatalog.make("round-robin", seed: 1))
        scheduler.apply([.joined(1), .joined(3), .queued(5)], at: .zero + .seconds(300))
        #expect(scheduler.decide(at: .zero + .seconds(300)).placements.isEmpty)
        scheduler.apply(.snapshotComplete, at: .zero + .seconds(300))
        #expect(scheduler.decide(at: .zero + .seconds(300)).placements.count == 1)
        #expect(scheduler.view.workers.map(\.estimator.steps) == [200, 0])
        #expect(scheduler.view.workers.first?.estimator.profile == learnt.estimator.profile)

        // A worker that comes later under that number is another.
        scheduler.apply(.workerLeft(WorkerID(1), isDraining: false), at: .zero + .seconds(301))
        scheduler.apply(.joined(1), at: .zero + .seconds(302))
        #expect(scheduler.view.workers.map(\.estimator.steps) == [0, 0])
    }
}
