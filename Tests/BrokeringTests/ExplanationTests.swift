import Brokering
import ServingModel
import Testing

@Suite("Why a query was placed where it was")
struct ExplanationTests {
    private func explanation(_ reason: String = "earliest first token") -> PlacementExplanation {
        PlacementExplanation(
            reason: reason,
            held: .milliseconds(400),
            batch: 2,
            candidates: [
                .init(worker: WorkerID(rawValue: 2), terms: [.init("ttft_ms", 600)]),
                .init(worker: WorkerID(rawValue: 1), terms: [.init("ttft_ms", 900)], failed: "pace"),
                .init(worker: WorkerID(rawValue: 77), terms: []),
            ]
        )
    }

    private func place(
        _ rig: inout BrokerRig,
        _ stream: StreamKey,
        on worker: UInt64,
        attempt: Int = 1,
        explanation: PlacementExplanation? = nil
    ) throws {
        rig.broker.place(
            Placement(
                query: try rig.record(stream).number,
                attempt: attempt,
                worker: WorkerID(rawValue: worker),
                predictedTimeToFirstToken: .milliseconds(600),
                predictedTokenTime: .milliseconds(30),
                explanation: explanation
            ),
            at: rig.now
        )
        rig.broker.checkInvariants()
    }

    private func explained(_ rig: BrokerRig, _ stream: StreamKey) throws -> QueryExplanation {
        try rig.broker.explanation(of: try rig.id(stream), at: rig.now)
    }

    /// A rig with two workers and the scheduler `aladdin`.
    private func scheduledRig(_ configure: (inout BrokerConfiguration) -> Void = { _ in }) -> BrokerRig {
        var rig = BrokerRig(configure)
        rig.broker.schedulerAttached(policy: "aladdin", at: rig.now)
        rig.join(1)
        rig.join(2)
        return rig
    }

    @Test("From arrival to its end: what was decided, predicted and observed, at which times")
    func wholeLife() throws {
        var rig = scheduledRig()
        let stream = try rig.submit { $0.tenant = "acme" }
        #expect(try explained(rig, stream).state == .queued)
        #expect(try explained(rig, stream).attempts.isEmpty)
        rig.tick(after: .milliseconds(400))
        try place(&rig, stream, on: 2, explanation: explanation())
        #expect(try explained(rig, stream).state == .placed)
        rig.tick(after: .milliseconds(10))
        let lease = try #require(rig.dispatched().first).lease
        #expect(try explained(rig, stream).state == .running)
        rig.tick(after: .milliseconds(90))
        rig.step(2, .tokens(lease, from: 0))
        rig.tick(after: .milliseconds(40))
        rig.step(2, .tokens(lease, from: 1, finish: .stop))
        rig.tick(after: .milliseconds(60))

        let query = try explained(rig, stream)
        #expect(query.state == .ended(.ok) && query.metObjective == true)
        #expect(query.tenant == "acme" && query.inputTokens == 3 && query.outputTokens == 2 && query.maxTokens == 8)
        #expect(query.firstToken == .milliseconds(500) && query.ended == .milliseconds(540))
        #expect(query.averageTokenTime == .milliseconds(40) && query.age == .milliseconds(600))
        let attempt = try #require(query.attempts.first)
        #expect(query.attempts.count == 1 && attempt.number == 1 && attempt.placements == 1)
        #expect(attempt.workerName == "w2" && attempt.policy == "aladdin" && attempt.failure == nil)
        #expect(attempt.placed == .milliseconds(400) && attempt.dispatched == .milliseconds(410))
        #expect(attempt.firstToken == .milliseconds(500))
        #expect(attempt.predictedTimeToFirstToken == .milliseconds(600))
        #expect(attempt.predictedTokenTime == .milliseconds(30))
        #expect(attempt.explanation == explanation())
        #expect(query.workers.map(\.name) == ["w1", "w2"], "of those considered and still connected")
    }

    @Test("The latest placement of an attempt is told, and how many there were")
    func placedAnew() throws {
        var rig = scheduledRig()
        let stream = try rig.submit()
        try place(&rig, stream, on: 1, explanation: explanation("first"))
        rig.tick(after: .milliseconds(5))
        try place(&rig, stream, on: 2, explanation: explanation("second"))
        let attempts = try explained(rig, stream).attempts
        #expect(attempts.map(\.workerName) == ["w2"] && attempts.first?.placements == 2)
        #expect(attempts.first?.explanation?.reason == "second" && attempts.first?.placed == .milliseconds(5))
    }

    @Test("A decision that is dropped is not told")
    func droppedDecision() throws {
        var rig = scheduledRig()
        let stream = try rig.submit()
        try place(&rig, stream, on: 9, explanation: explanation())
        try place(&rig, stream, on: 1, attempt: 2, explanation: explanation())
        #expect(try explained(rig, stream).attempts.isEmpty)
    }

    @Test("An attempt that failed is told with its reason, before the one that answered")
    func secondAttempt() throws {
        var rig = scheduledRig()
        let stream = try rig.submit()
        try place(&rig, stream, on: 1)
        _ = rig.dispatched()
        rig.tick(after: .milliseconds(50))
        rig.lose(1)
        try place(&rig, stream, on: 2, attempt: 2, explanation: explanation())
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(50))
        rig.step(2, .tokens(lease, from: 0, finish: .stop))
        let attempts = try explained(rig, stream).attempts
        #expect(attempts.map(\.number) == [1, 2] && attempts.map(\.workerName) == ["w1", "w2"])
        #expect(attempts[0].failure?.reason == .workerLost && attempts[0].failed == .milliseconds(50))
        #expect(attempts[0].firstToken == nil && attempts[1].firstToken == .milliseconds(100))
        #expect(attempts[1].failure == nil)
    }

    @Test("Without a scheduler the broker explains its own choice")
    func fallback() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 1)
        rig.join(2, granted: 5)
        let stream = try rig.submit()
        _ = rig.act()
        let attempt = try #require(try explained(rig, stream).attempts.first)
        #expect(attempt.policy.isEmpty && attempt.workerName == "w2" && attempt.predictedTimeToFirstToken == nil)
        #expect(attempt.explanation?.reason.contains("most room") == true)
        #expect(attempt.explanation?.candidates.map(\.worker.rawValue) == [2, 1])
        #expect(attempt.explanation?.candidates.map(\.terms) == [[.init("room", 5)], [.init("room", 1)]])
    }

    @Test("Whether the objectives were met is known at the end, unless the end is the client's doing")
    func metObjective() throws {
        var rig = scheduledRig()
        let late = try rig.submit {
            $0.objective = .init(timeToFirstToken: .milliseconds(20), averageTokenTime: .milliseconds(100))
        }
        let cancelled = try rig.submit()
        try place(&rig, late, on: 1)
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(21))
        #expect(try explained(rig, late).metObjective == nil)
        rig.step(1, .tokens(lease, from: 0, finish: .stop))
        #expect(try explained(rig, late).metObjective == false)
        _ = rig.cancel(cancelled)
        #expect(try explained(rig, cancelled).metObjective == nil)
        #expect(try explained(rig, cancelled).ended == .milliseconds(21))
    }

    @Test("A query is known as long as its result is kept, then refused with a reason")
    func expires() throws {
        var rig = scheduledRig { $0.resultRetention = .seconds(60) }
        let stream = try rig.submit()
        _ = rig.cancel(stream)
        rig.tick(after: .seconds(59))
        #expect(try explained(rig, stream).attempts.isEmpty)
        rig.tick(after: .seconds(1))
        let status = try refusal { _ = try explained(rig, stream) }
        #expect(status.code == .notFound && status.reason == .unknownQuery)
        #expect(status.message.contains("60 s after its end"))
    }

    @Test("Explanations are kept of so many placements; older ones lose theirs and nothing else")
    func boundedExplanations() throws {
        var rig = scheduledRig { $0.maximumExplanations = 3 }
        let streams = try (0..<5).map { _ in try rig.submit() }
        for stream in streams { try place(&rig, stream, on: 2, explanation: explanation()) }
        func explains() throws -> [Bool] {
            try streams.map { try explained(rig, $0).attempts.first?.explanation != nil }
        }
        #expect(try explains() == [false, false, true, true, true])
        #expect(try explained(rig, streams[0]).attempts.first?.predictedTokenTime == .milliseconds(30))
        // Placed anew, the third counts as the latest; its former entry goes first and takes nothing with it.
        try place(&rig, streams[2], on: 1, explanation: explanation())
        try place(&rig, streams[0], on: 1, explanation: explanation())
        #expect(try explains() == [true, false, true, false, true])
    }
}
