import Brokering
import ServingModel
import Testing

@Suite("The broker and its scheduler")
struct SchedulerSideTests {
    private func place(_ rig: inout BrokerRig, _ stream: StreamKey, on worker: UInt64, attempt: Int = 1) throws {
        rig.broker.place(
            Placement(
                query: try rig.record(stream).number,
                attempt: attempt,
                worker: WorkerID(rawValue: worker),
                predictedTimeToFirstToken: .milliseconds(33)
            ),
            at: rig.now
        )
        rig.broker.checkInvariants()
    }

    @Test("A scheduler that attaches hears the present state, then what happens")
    func snapshot() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 1)
        rig.join(2, granted: 0)
        let running = try rig.submit()
        let assignment = try #require(rig.dispatched().first)
        let waiting = try rig.submit()
        rig.step(1, .tokens(assignment.lease, from: 0))
        rig.broker.workerDrains(WorkerID(rawValue: 2), at: rig.now)
        rig.now = rig.now + .seconds(1)
        rig.broker.schedulerAttached(at: rig.now)
        let events = rig.act().compactMap(\.event)
        #expect(events.count == 7)
        #expect(events[0] == .workerJoined(.sample(1)))
        #expect(events[1] == .workerJoined(.sample(2)))
        #expect(events[2] == .workerLeft(WorkerID(rawValue: 2), isDraining: true))
        guard case .queryQueued(let first) = events[3], case .queryQueued(let second) = events[5] else {
            Issue.record("no queries in the snapshot")
            return
        }
        let number = try rig.record(running).number
        #expect(first.number == number && first.outputTokens == 1 && first.age == .seconds(1))
        #expect(events[4] == .queryDispatched(number, to: WorkerID(rawValue: 1), attempt: 1))
        #expect(second.number == (try rig.record(waiting).number))
        #expect(events[6] == .snapshotComplete)
        rig.step(1, .tokens(assignment.lease, from: 1, finish: .stop))
        let later = rig.act().compactMap(\.event)
        guard case .stepCompleted(let step) = later.first, case .queryEnded(let ended) = later.last else {
            Issue.record("a step and an end were to be told")
            return
        }
        #expect(step.advanced == [.init(query: number, tokens: 1)])
        #expect(ended == QueryEnded(query: number, code: .ok, inputTokens: 3, outputTokens: 2))
    }

    @Test("Tokens that come ahead of the word on their step are told with it, those of a query together")
    func tokensAheadOfTheirStep() throws {
        var rig = BrokerRig()
        rig.join(1)
        rig.broker.schedulerAttached(at: rig.now)
        let first = try rig.submit()
        let second = try rig.submit()
        try place(&rig, first, on: 1)
        try place(&rig, second, on: 1)
        let leases = rig.dispatched().map(\.lease)
        try #require(leases.count == 2)
        func report(_ reports: LeaseReport..., workload: StepWorkload? = nil) -> WorkerStep {
            WorkerStep(
                workload: workload,
                duration: .milliseconds(5),
                reports: reports,
                waiting: 0,
                freeKVTokens: 100
            )
        }
        let worker = WorkerID(rawValue: 1)
        rig.broker.workerStepped(worker, report(.tokens(leases[0], from: 0)), at: rig.now)
        rig.broker.workerStepped(worker, report(.tokens(leases[1], from: 0)), at: rig.now)
        #expect(!rig.act().compactMap(\.event).contains { if case .stepCompleted = $0 { true } else { false } })
        let workload = StepWorkload(kind: .decode, decodeSequences: 2)
        rig.broker.workerStepped(worker, report(.tokens(leases[0], from: 1), workload: workload), at: rig.now)
        rig.broker.workerStepped(worker, report(.tokens(leases[1], from: 1), workload: workload), at: rig.now)
        let steps = rig.act().compactMap { action -> StepCompleted? in
            if case .stepCompleted(let step)? = action.event { step } else { nil }
        }
        let numbers = [try rig.record(first).number, try rig.record(second).number]
        #expect(
            steps.map(\.advanced) == [
                [.init(query: numbers[0], tokens: 2), .init(query: numbers[1], tokens: 1)],
                [.init(query: numbers[1], tokens: 1)],
            ]
        )
        // A scheduler that attaches is told the present state; what it holds is not told again as news.
        rig.broker.workerStepped(worker, report(.tokens(leases[0], from: 2)), at: rig.now)
        rig.broker.schedulerAttached(at: rig.now)
        _ = rig.act()
        rig.broker.workerStepped(worker, report(.tokens(leases[1], from: 2), workload: workload), at: rig.now)
        for case .stepCompleted(let step)? in rig.act().map(\.event) {
            #expect(step.advanced == [.init(query: numbers[1], tokens: 1)])
        }
    }

    @Test("A placement on another model's worker is void, and the scheduler hears that the query still waits")
    func otherModel() throws {
        var rig = BrokerRig()
        rig.join(1)
        rig.join(2, model: "other")
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        _ = rig.act()
        try place(&rig, stream, on: 2)
        let number = try rig.record(stream).number
        #expect(try rig.record(stream).state == .queued)
        let told = rig.act().compactMap(\.event)
        guard case .queryQueued(let query)? = told.first else {
            Issue.record("the scheduler takes the query for placed")
            return
        }
        #expect(query.number == number)
    }

    @Test("An attached scheduler places, and its prediction reaches the reader")
    func placement() throws {
        var rig = BrokerRig()
        rig.join(1)
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        #expect(rig.dispatched().isEmpty)
        try place(&rig, stream, on: 1)
        #expect(rig.dispatched().count == 1)
        #expect(
            rig.read(stream).last
                == .started(worker: "w1", attempt: 1, predictedTimeToFirstToken: .milliseconds(33))
        )
    }

    @Test("What was placed and not pulled may be placed anew, back and forth")
    func placesAnew() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 0)
        rig.join(2, granted: 0)
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        for worker: UInt64 in [1, 2, 1, 1, 2] { try place(&rig, stream, on: worker) }
        for worker: UInt64 in [1, 2] { rig.broker.workerPulled(WorkerID(rawValue: worker), granted: 4) }
        let dispatches = rig.act().filter { !$0.assignments.isEmpty }
        guard case .dispatch(WorkerID(rawValue: 2), let batch)? = dispatches.first else {
            Issue.record("the last placement counts")
            return
        }
        #expect(dispatches.count == 1 && batch.count == 1)
        try place(&rig, stream, on: 1)
        #expect(rig.dispatched().isEmpty)
    }

    @Test("Decisions about queries or workers that have moved on are dropped")
    func staleDecisions() throws {
        var rig = BrokerRig()
        rig.join(1)
        rig.join(2)
        rig.join(3, model: "other")
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        try place(&rig, stream, on: 1, attempt: 2)
        try place(&rig, stream, on: 3)
        try place(&rig, stream, on: 4)
        rig.broker.workerDrains(WorkerID(rawValue: 2), at: rig.now)
        try place(&rig, stream, on: 2)
        #expect(try rig.record(stream).state == .queued)
        rig.broker.place(
            Placement(
                query: QueryNumber(rawValue: 99),
                attempt: 1,
                worker: WorkerID(rawValue: 1),
                predictedTimeToFirstToken: nil
            ),
            at: rig.now
        )
        _ = rig.broker.cancel(stream, at: rig.now)
        try place(&rig, stream, on: 1)
        #expect(rig.dispatched().isEmpty)
    }

    @Test("A query whose decision is dropped because its worker left is offered to the scheduler again")
    func offersAgain() throws {
        var rig = BrokerRig()
        rig.join(1)
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        rig.lose(1)
        _ = rig.act()
        // Decided before the scheduler heard of the loss.
        try place(&rig, stream, on: 1)
        let events = rig.act().compactMap(\.event)
        guard case .queryQueued(let query)? = events.first else {
            Issue.record("the scheduler believes that the query is placed")
            return
        }
        #expect(query.number == (try rig.record(stream).number) && events.count == 1)
    }

    @Test("Without a scheduler the broker waits for the grace, then places in order of arrival")
    func fallback() throws {
        var rig = BrokerRig { $0.schedulerGrace = .seconds(2) }
        rig.broker.schedulerAttached(at: rig.now)
        rig.join(1, granted: 1)
        rig.join(2, granted: 2)
        let streams = try (0..<4).map { _ in try rig.submit() }
        rig.broker.schedulerDetached(at: rig.now)
        #expect(rig.dispatched().isEmpty)
        rig.tick(after: .milliseconds(1999))
        #expect(rig.dispatched().isEmpty)
        rig.tick(after: .milliseconds(1))
        #expect(Set(rig.dispatched().map(\.id)) == Set(try streams.prefix(3).map { try rig.id($0) }))
        #expect(rig.act().compactMap(\.event).isEmpty)
    }

    @Test("A second scheduler is told the whole state, and nothing that the first was still to hear")
    func takesOver() throws {
        var rig = BrokerRig()
        rig.broker.schedulerAttached(at: rig.now)
        rig.join(1)
        _ = try rig.submit()
        rig.broker.schedulerAttached(at: rig.now)
        let events = rig.act().compactMap(\.event)
        #expect(events.count == 3 && events.last == .snapshotComplete)
    }
}
