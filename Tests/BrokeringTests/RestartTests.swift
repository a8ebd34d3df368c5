import Brokering
import ServingModel
import Testing

/// Found by the fault simulation, each told in the fewest steps.
@Suite("A broker that starts again")
struct RestartTests {
    private let stream = StreamKey(session: SessionID(rawValue: 1), stream: 1)
    private let id = QueryID(high: 1, low: 1)
    private let one = QueryNumber(rawValue: 1)

    /// A broker, its journal, and one worker.
    private struct Rig {
        var broker: Broker
        var image = JournalImage()
        var now = Instant.zero + .seconds(10)
        var pending: [JournalRecord] = []

        init(resumesPrefix: Bool = true) {
            broker = Broker(recovery: Recovery(), at: .zero)
            _ = image.open()
            join(resumesPrefix: resumesPrefix)
        }

        mutating func join(_ worker: UInt64 = 1, resumesPrefix: Bool = true) {
            broker.workerJoined(.sample(worker, resumesPrefix: resumesPrefix), at: now)
            broker.workerPulled(WorkerID(rawValue: worker), granted: 9)
        }

        /// - Returns: what was dispatched.
        @discardableResult
        mutating func act(syncs: Bool = true) throws -> [Assignment] {
            var assignments: [Assignment] = []
            for _ in 0..<3 {
                let actions = broker.takeActions(at: now)
                for case .write(let record) in actions { pending.append(record) }
                assignments += actions.flatMap(\.assignments)
                guard syncs else { continue }
                for record in pending { try image.apply(record) }
                pending = []
                broker.journaled(through: broker.written, at: now)
            }
            return assignments
        }

        /// What was not synced is gone.
        mutating func restart(resumesPrefix: Bool = true) {
            pending = []
            now = now + .seconds(10)
            broker = Broker(recovery: image.open(), at: now + .seconds(-9))
            join(resumesPrefix: resumesPrefix)
        }

        mutating func report(_ lease: Lease, _ first: Int, _ count: Int, failure: Status? = nil) {
            var report = LeaseReport(lease: lease)
            report.firstIndex = first
            report.tokens = count
            report.tokenIDs = (0..<count).map { Int32(first + $0) }[...]
            report.text = String(repeating: "x", count: count)
            report.failure = failure
            let step = WorkerStep(workload: nil, duration: .zero, reports: [report], waiting: 0, freeKVTokens: 1)
            broker.workerStepped(WorkerID(rawValue: 1), step, at: now)
        }

        mutating func read(_ stream: StreamKey) -> [Delivery] {
            var deliveries: [Delivery] = []
            while let delivery = broker.nextDelivery(to: stream) { deliveries.append(delivery) }
            return deliveries
        }
    }

    private func submit(to rig: inout Rig, timeout: Interval? = nil) throws {
        var submission = Submission(model: "m", inputTokens: 1, promptBytes: 4, maxTokens: 100, request: [7])
        submission.durability = .stream
        submission.timeout = timeout
        try rig.broker.submit(submission, id: id, from: stream, at: rig.now)
    }

    @Test("A reader that missed an attempt forgets its tokens, however many restarts lie between")
    func missedAttempt() throws {
        var rig = Rig()
        try submit(to: &rig)
        rig.report(try #require(try rig.act().first).lease, 0, 10)
        // The client heard ten tokens of attempt 1, of which none is on the disk.
        rig.restart()
        rig.report(try #require(try rig.act().first).lease, 0, 64)
        try rig.act()
        rig.restart()
        try rig.act()
        try rig.broker.attach(Attachment(query: id, firstIndex: 10, seenAttempt: 1), by: stream)
        #expect(rig.read(stream).contains(.reset(firstIndex: 0)))
    }

    @Test("A reader that heard of the latest attempt keeps what is on the disk")
    func knownAttempt() throws {
        var rig = Rig()
        try submit(to: &rig)
        rig.report(try #require(try rig.act().first).lease, 0, 64)
        try rig.act()
        rig.restart()
        try rig.act()
        try rig.broker.attach(Attachment(query: id, firstIndex: 70, seenAttempt: 1), by: stream)
        #expect(rig.read(stream).contains(.reset(firstIndex: 64)))
    }

    @Test("A query that a broker ends on finding it has no more tokens than its record says")
    func endsOnRecovery() throws {
        var rig = Rig()
        try submit(to: &rig, timeout: .seconds(5))
        rig.report(try #require(try rig.act().first).lease, 0, 10)
        rig.restart()
        try rig.act()
        try rig.broker.attach(Attachment(query: id, firstIndex: 10, seenAttempt: 1), by: stream)
        let deliveries = rig.read(stream)
        #expect(deliveries.contains(.reset(firstIndex: 0)))
        guard case .end(let status)? = deliveries.last else {
            Issue.record("its deadline has passed")
            return
        }
        #expect(status.code == .deadlineExceeded)
    }

    @Test("Nobody is told that an answer starts over before a crash cannot bring the old one back")
    func resetIsDurableFirst() throws {
        var rig = Rig(resumesPrefix: false)
        try submit(to: &rig)
        let first = try #require(try rig.act().first)
        rig.report(first.lease, 0, 64)
        try rig.act()
        _ = rig.read(stream)
        rig.report(first.lease, 0, 0, failure: Status(.internalError))
        let written = rig.broker.takeActions(at: rig.now)
        rig.pending += written.compactMap { if case .write(let record) = $0 { record } else { nil } }
        for record in rig.pending { try rig.image.apply(record) }
        rig.pending = []
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        #expect(try rig.act(syncs: false).map(\.attempt) == [2])
        #expect(rig.pending.contains(.reset(one)))
        #expect(rig.read(stream).isEmpty)
        try rig.act()
        #expect(rig.read(stream).contains(.reset(firstIndex: 0)))
    }

    @Test("The history of a query that is given up is whole, and a crash amid its last records changes nothing")
    func wholeHistory() throws {
        var rig = Rig()
        try submit(to: &rig)
        for attempt in 1...3 {
            rig.now = rig.now + .seconds(5)
            _ = rig.broker.tick(at: rig.now)
            let assignment = try #require(try rig.act().first)
            #expect(assignment.attempt == attempt)
            rig.report(assignment.lease, 0, 0, failure: Status(.internalError, .engineFailed, "broken"))
        }
        try rig.act(syncs: false)
        // The last failure is on the disk, the end is not.
        let last = try #require(rig.pending.first { if case .retried = $0 { true } else { false } })
        try rig.image.apply(last)
        rig.restart()
        #expect(try rig.act().isEmpty)
        let kept = try #require(rig.image.find(.query(id)))
        #expect(kept.failures.map(\.attempt) == [1, 2, 3] && kept.end.reason == .attemptsExhausted)
    }
}
