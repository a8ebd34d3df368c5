import Brokering
import ServingModel
import Testing

@Suite("Queries whose client chose the worker")
struct ChosenWorkerTests {
    private func choose(_ worker: UInt64) -> (inout Submission) -> Void {
        { submission in
            submission.worker = WorkerID(rawValue: worker)
            submission.durability = .volatile
        }
    }

    @Test("It goes there and nowhere else, whatever the scheduler says")
    func placement() throws {
        var rig = BrokerRig()
        for worker: UInt64 in 1...2 { rig.join(worker) }
        rig.broker.schedulerAttached(policy: "p", at: rig.now)
        let stream = try rig.submit(choose(2))
        let record = try rig.record(stream)
        let placement = Placement(
            query: record.number,
            attempt: 1,
            worker: WorkerID(rawValue: 1),
            predictedTimeToFirstToken: nil
        )
        rig.broker.place(placement, at: rig.now)
        let dispatches = rig.act().compactMap { action -> WorkerID? in
            if case .dispatch(let worker, _) = action { worker } else { nil }
        }
        #expect(dispatches == [WorkerID(rawValue: 2)])
    }

    @Test("A worker that is not there is refused, and one that is lost or leaves ends the query")
    func worker() throws {
        var rig = BrokerRig()
        for worker: UInt64 in 1...3 { rig.join(worker) }
        #expect(throws: Status(.notFound, .noWorker, "")) {
            do { _ = try rig.submit(choose(9)) } catch let status as Status {
                throw Status(status.code, status.reason, "")
            }
        }
        let lost = try rig.submit(choose(1))
        #expect(rig.dispatched().count == 1)
        rig.lose(1)
        #expect(rig.read(lost).last?.endStatus?.reason == .workerLost)
        rig.broker.workerPulled(WorkerID(rawValue: 2), granted: 0)
        #expect(rig.broker.liveQueries == 0)
    }

    @Test("A key of one tenant may not choose")
    func tenants() throws {
        var submission = Submission(model: "m", inputTokens: nil, promptBytes: 1, maxTokens: 1, request: [])
        submission.worker = WorkerID(rawValue: 1)
        try submission.charge(.any)
        #expect(throws: Status.self) { try submission.charge(Account(tenant: "blue")) }
    }
}
