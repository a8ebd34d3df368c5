import ServingModel
import Testing

@testable import Brokering

@Suite("Deadlines, patience and memory")
struct TimeTests {
    @Test("A worker that is to lose its session is sent nothing more")
    func expelledGetsNothing() throws {
        var rig = BrokerRig { $0.enginePatience = .seconds(2) }
        rig.join(1)
        _ = try rig.submit()
        #expect(rig.dispatched().count == 1)
        rig.tick(after: .seconds(3))
        let late = try rig.submit()
        let actions = rig.act()
        #expect(actions.contains { if case .expel = $0 { true } else { false } })
        #expect(actions.flatMap(\.assignments).isEmpty)
        rig.lose(1)
        #expect(try rig.record(late).failures.isEmpty)
    }

    @Test("A deadline ends a query that waits and one that runs, and no sooner")
    func deadlines() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 1)
        let running = try rig.submit { $0.timeout = .milliseconds(500) }
        let assignment = try #require(rig.dispatched().first)
        #expect(assignment.remaining == .milliseconds(500))
        let waiting = try rig.submit { $0.timeout = .milliseconds(500) }
        rig.now = rig.now + .milliseconds(499)
        #expect(rig.broker.tick(at: rig.now) == rig.now + .milliseconds(1))
        #expect(rig.broker.liveQueries == 2)
        rig.tick(after: .milliseconds(1))
        #expect(rig.broker.liveQueries == 0)
        #expect(rig.act().flatMap(\.revoked) == [assignment.lease])
        for stream in [running, waiting] {
            let status = try #require(rig.read(stream).last?.endStatus)
            #expect(status.code == .deadlineExceeded && status.reason == .deadlineExpired)
        }
    }

    @Test("Deadlines of queries that have ended are not gathered until they are due")
    func voidDeadlines() throws {
        var rig = BrokerRig { $0.maximumRetainedResults = 10 }
        rig.join(1, granted: 10_000)
        let waiting = try rig.submit { $0.timeout = .seconds(3600) }
        let lease = try #require(rig.dispatched().first).lease
        for _ in 0..<1000 {
            _ = try rig.submit { $0.timeout = .seconds(3600) }
            rig.step(1, .tokens(try #require(rig.dispatched().first).lease, from: 0, finish: .stop))
        }
        #expect(rig.broker.timers <= 200)
        rig.step(1, .tokens(lease, from: 0))
        rig.tick(after: .seconds(3600))
        #expect(rig.read(waiting).last?.endStatus?.reason == .deadlineExpired)
    }

    @Test("Queries wait for a worker of their model for a bounded time")
    func patience() throws {
        var rig = BrokerRig { $0.noWorkerPatience = .seconds(3) }
        rig.join(1, granted: 0)
        let early = try rig.submit()
        rig.lose(1)
        rig.tick(after: .seconds(2))
        let late = try rig.submit()
        rig.tick(after: .seconds(1))
        #expect(rig.read(early).last?.endStatus?.reason == .noWorker)
        #expect(try !rig.record(late).hasEnded)
        rig.tick(after: .seconds(2))
        #expect(rig.read(late).last?.endStatus?.reason == .noWorker)
    }

    @Test("Patience starts anew with each absence of the workers")
    func patienceStartsAnew() throws {
        var rig = BrokerRig { $0.noWorkerPatience = .seconds(3) }
        rig.join(1, granted: 0)
        let stream = try rig.submit()
        rig.lose(1)
        rig.tick(after: .seconds(2))
        rig.join(2, granted: 0)
        rig.tick(after: .milliseconds(900))
        rig.lose(2)
        rig.tick(after: .milliseconds(500))
        #expect(try !rig.record(stream).hasEnded)
        rig.tick(after: .milliseconds(2500))
        #expect(try rig.record(stream).hasEnded)
    }

    @Test("A query that its last, draining worker fails does not wait for ever")
    func failedWhileDraining() throws {
        var rig = BrokerRig { $0.noWorkerPatience = .seconds(3) }
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.broker.workerDrains(WorkerID(rawValue: 1), at: rig.now)
        rig.step(1, .failure(lease, Status(.internalError, .engineFailed, "x")))
        rig.tick(after: .seconds(3))
        #expect(rig.read(stream).last?.endStatus?.reason == .noWorker)
    }

    @Test("Results are forgotten when their time is over")
    func retention() throws {
        var rig = BrokerRig { $0.resultRetention = .seconds(60) }
        rig.join(1)
        let stream = try rig.submit()
        rig.step(1, .tokens(try #require(rig.dispatched().first).lease, from: 0, finish: .stop))
        _ = rig.read(stream)
        rig.tick(after: .seconds(59))
        #expect(rig.broker.query(try rig.id(stream)) != nil)
        rig.tick(after: .seconds(1))
        #expect(rig.broker.query(try rig.id(stream)) == nil)
        #expect(try refusal { _ = try rig.attach(to: stream) }.reason == .unknownQuery)
    }

    @Test("Only so many results are kept, whatever a reader that does not read does")
    func retentionIsBounded() throws {
        var rig = BrokerRig { $0.maximumRetainedResults = 3 }
        rig.join(1, granted: .max)
        let stalled = try rig.submit()
        rig.step(1, .tokens(try #require(rig.dispatched().first).lease, from: 0, finish: .stop))
        var streams: [StreamKey] = []
        for _ in 0..<10 {
            streams.append(try rig.submit())
            rig.step(1, .tokens(try #require(rig.dispatched().first).lease, from: 0, finish: .stop))
            if let last = streams.last { _ = rig.read(last) }
        }
        rig.tick()
        let kept = try streams.filter { rig.broker.query(try rig.id($0)) != nil }
        #expect(kept == streams.suffix(3))
        // What is still being read stays until it has been.
        #expect(rig.read(stalled).last == .end(.ok))
        rig.tick()
        #expect(rig.broker.query(try rig.id(stalled)) == nil)
    }
}
