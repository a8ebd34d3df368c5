import Brokering
import ServingModel
import Testing

@Suite("Giving a query up")
struct CancellationTests {
    @Test("A queued query ends with its only call, and a call ends once")
    func queued() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 0)
        let stream = try rig.submit()
        #expect(rig.cancel(stream) == true)
        #expect(rig.cancel(stream) == false)
        #expect(try rig.record(stream).hasEnded)
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: 5)
        #expect(rig.dispatched().isEmpty)
        #expect(rig.broker.model("m")?.cancelled == 1)
        #expect(rig.broker.model("m")?.queued == 0)
    }

    @Test("That a durable query was given up is told when the journal has it, and nothing else is told any more")
    func durable() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        rig.step(1, .tokens(lease, from: 0))
        #expect(rig.cancel(stream) == false)
        #expect(rig.cancel(stream) == false)
        #expect(rig.act().records.map(\.kind) == ["ended"])
        #expect(rig.read(stream).isEmpty)
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        #expect(rig.act().contains(.announce(stream)))
        #expect(rig.read(stream).map(\.endStatus?.reason) == [.cancelledByClient])
        #expect(rig.cancel(stream) == false)
    }

    @Test("That a durable query was cancelled by its name is told when the journal has it")
    func durableByName() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let stream = try rig.submit()
        let id = try rig.id(stream)
        let callers = (1...3).map { StreamKey(session: SessionID(rawValue: $0), stream: 9) }
        #expect(try rig.broker.cancel(id, by: callers[0], at: rig.now) == false)
        // It has ended, and yet cannot be relied on.
        #expect(try rig.broker.cancel(id, by: callers[1], at: rig.now) == false)
        #expect(try rig.broker.cancel(id, by: callers[2], at: rig.now) == false)
        rig.broker.sessionEnded(callers[2].session, at: rig.now)
        #expect(!rig.act().contains { if case .answer = $0 { true } else { false } })
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        let answered = rig.act().compactMap { if case .answer(let stream) = $0 { stream } else { nil } }
        #expect(answered == Array(callers.prefix(2)))
        #expect(try rig.broker.cancel(id, by: callers[0], at: rig.now) == true)
    }

    @Test("A placed query is not dispatched any more")
    func placed() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 0)
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        rig.broker.place(
            Placement(
                query: try rig.record(stream).number,
                attempt: 1,
                worker: WorkerID(rawValue: 1),
                predictedTimeToFirstToken: nil
            ),
            at: rig.now
        )
        #expect(try rig.record(stream).state == .placed(WorkerID(rawValue: 1)))
        #expect(rig.cancel(stream) == true)
        rig.broker.checkInvariants()
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: 5)
        #expect(rig.dispatched().isEmpty)
        #expect(rig.broker.worker(WorkerID(rawValue: 1))?.sent == 0)
    }

    @Test("A running query is revoked at its worker, and what the worker still says is not counted")
    func leased() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        #expect(rig.cancel(stream) == true)
        #expect(rig.act() == [.revoke(WorkerID(rawValue: 1), [lease])])
        rig.step(1, .tokens(lease, from: 0))
        #expect(try rig.record(stream).output.count == 0)
        #expect(rig.act() == [.revoke(WorkerID(rawValue: 1), [lease])])
        rig.step(1, .tokens(lease, from: 1, finish: .stop))
        #expect(rig.act().isEmpty)
    }

    @Test("A client's session takes all its queries with it, and nobody else's")
    func sessionEnd() throws {
        var rig = BrokerRig()
        rig.join(1)
        let mine = try rig.submit(session: 1)
        let shared = try rig.submit(session: 1)
        let theirs = try rig.submit(session: 2)
        let leases = rig.dispatched().map(\.lease)
        let reader = try rig.attach(to: shared, session: 2)
        rig.broker.sessionEnded(SessionID(rawValue: 1), at: rig.now)
        #expect(rig.act().flatMap(\.revoked) == [leases[0]])
        guard case .ended(let status) = try rig.record(mine).state else {
            Issue.record("the query goes on")
            return
        }
        #expect(status.code == .cancelled && status.reason == .clientGone)
        #expect(try !rig.record(shared).hasEnded)
        #expect(try !rig.record(theirs).hasEnded)
        rig.step(1, .tokens(leases[1], from: 0, finish: .stop))
        #expect(rig.read(reader).last == .end(.ok))
        #expect(rig.read(shared).isEmpty)
    }
}
