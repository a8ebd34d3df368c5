import Brokering
import ServingModel
import Testing

@Suite("What outlives the broker")
struct DurabilityTests {
    /// A session that submitted nothing.
    private let other = StreamKey(session: SessionID(rawValue: 9), stream: 1)

    @Test("A client hears of its query, and of its end, only when the journal has them")
    func gates() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let stream = try rig.submit()
        let first = rig.act()
        #expect(first.records.map(\.kind) == ["accepted", "leased"])
        let lease = try #require(first.flatMap(\.assignments).first).lease
        #expect(rig.read(stream).isEmpty)
        rig.broker.journaled(through: 1, at: rig.now)
        #expect(rig.act().contains(.announce(stream)))
        #expect(rig.read(stream).first == .accepted(try rig.id(stream), .accept, isDuplicate: false))
        rig.step(1, .tokens(lease, from: 0, count: 2, finish: .stop))
        #expect(rig.act().records.map(\.kind) == ["ended"])
        // Tokens may be read at once; the end is told when it can't be lost.
        #expect(rig.read(stream) == [.tokens(from: 0, count: 2)])
        rig.broker.journaled(through: 3, at: rig.now)
        #expect(rig.read(stream) == [.finished(.stop, inputTokens: 3, outputTokens: 2), .end(.ok)])
    }

    @Test("A volatile query leaves no trace, and waits for nothing")
    func volatile() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let stream = try rig.submit { $0.durability = .volatile }
        let actions = rig.act()
        #expect(actions.records.isEmpty)
        #expect(rig.read(stream).first == .accepted(try rig.id(stream), .volatile, isDuplicate: false))
    }

    @Test("Without a journal every query is volatile, and says so")
    func withoutJournal() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit { $0.durability = .stream }
        #expect(rig.read(stream).first == .accepted(try rig.id(stream), .volatile, isDuplicate: false))
        #expect(rig.act().records.isEmpty)
    }

    @Test("While the journal does not answer, what it would have to keep is refused, and what it has goes on")
    func stalledJournal() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let stream = try rig.submit()
        rig.broker.journalStalled(true)
        let status = #expect(throws: Status.self) { try rig.submit() }
        #expect(status?.code == .unavailable)
        #expect(status?.reason == .journalFailed)
        #expect(status?.retryAfter == .seconds(1))
        _ = try rig.submit { $0.durability = .volatile }
        _ = rig.act()
        rig.broker.journaled(through: 1, at: rig.now)
        #expect(rig.read(stream).first == .accepted(try rig.id(stream), .accept, isDuplicate: false))
        rig.broker.journalStalled(false)
        _ = try rig.submit()
    }

    @Test("A repetition is dispatched when the journal has it, not before")
    func repetition() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        _ = try rig.submit()
        #expect(rig.dispatched().count == 1)
        rig.broker.journaled(through: 2, at: rig.now)
        rig.lose(1)
        rig.join(2)
        let actions = rig.act()
        #expect(actions.records.map(\.kind) == ["retried"])
        #expect(actions.flatMap(\.assignments).isEmpty)
        rig.broker.journaled(through: 3, at: rig.now)
        #expect(rig.dispatched().map(\.attempt) == [2])
    }

    @Test("A later broker begins a new attempt, and takes back what the earlier one told beyond the checkpoint")
    func recovery() throws {
        let accepted = AcceptedQuery.sample(7, durability: .stream)
        let part = OutputPart(
            firstIndex: 0,
            count: 2,
            ids: [0, 1],
            text: Array("0 1 ".utf8),
            pieces: [.init(tokens: 1, bytes: 2), .init(tokens: 1, bytes: 2)]
        )
        let recovered = RecoveredQuery(accepted: accepted, attempt: 1, wasLeased: true, output: part)
        var rig = BrokerRig(journaled: Recovery(epoch: 5, nextNumber: QueryNumber(rawValue: 8), queries: [recovered]))
        rig.join(1)
        #expect(rig.dispatched().isEmpty)
        rig.broker.journaled(through: 1, at: rig.now)
        let assignment = try #require(rig.dispatched().first)
        #expect(assignment.attempt == 2)
        #expect(assignment.lease.rawValue >> 32 == 5)
        #expect(assignment.resumedTokens == [0, 1])
        // It has heard five tokens of the first attempt; two of them are certain.
        let reader = StreamKey(session: SessionID(rawValue: 3), stream: 1)
        try rig.broker.attach(Attachment(query: accepted.id, firstIndex: 5, seenAttempt: 1), by: reader)
        #expect(rig.read(reader).contains(.reset(firstIndex: 2)))
        // One that has heard of the second attempt already knows.
        let informed = StreamKey(session: SessionID(rawValue: 3), stream: 2)
        rig.step(1, .tokens(assignment.lease, from: 2, count: 3))
        try rig.broker.attach(Attachment(query: accepted.id, firstIndex: 5, seenAttempt: 2), by: informed)
        #expect(!rig.read(informed).contains(.reset(firstIndex: 2)))
        #expect(rig.read(reader) == [.tokens(from: 2, count: 3)])
    }

    @Test("A query that many brokers ended with is given up; one whose deadline has passed ends at once")
    func givesUp() throws {
        var unlucky = RecoveredQuery(accepted: .sample(1), attempt: 9, wasLeased: true)
        unlucky.restarts = BrokerConfiguration().maximumRestarts
        var late = RecoveredQuery(accepted: .sample(2))
        late.accepted.deadline = UnixTime(milliseconds: 9000)
        let rig = BrokerRig(journaled: Recovery(nextNumber: QueryNumber(rawValue: 3), queries: [unlucky, late]))
        #expect(rig.broker.query(QueryID(high: 9, low: 1))?.endStatus?.reason == .attemptsExhausted)
        #expect(rig.broker.query(QueryID(high: 9, low: 2))?.endStatus?.reason == .deadlineExpired)
    }

    @Test("What an earlier broker saw fail is part of the story")
    func history() throws {
        var recovered = RecoveredQuery(accepted: .sample(1), attempt: 2)
        recovered.failures = [
            FailedAttempt(
                attempt: 1,
                worker: "w7",
                at: UnixTime(milliseconds: 501),
                code: .unavailable,
                reason: .workerLost,
                message: "its worker was lost",
                outputTokens: 3
            )
        ]
        let rig = BrokerRig(journaled: Recovery(nextNumber: QueryNumber(rawValue: 2), queries: [recovered]))
        let story = try rig.broker.explanation(of: recovered.accepted.id, at: rig.now)
        #expect(story.attempts.map(\.workerName) == ["w7"])
        #expect(story.attempts.first?.failure?.reason == .workerLost)
        #expect(story.attempts.first?.failed == .milliseconds(500))
    }

    @Test("The same name is the same query; another request under it is refused")
    func names() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let named: (inout Submission) -> Void = { $0.idempotencyKey = "k" }
        let first = try rig.submit(named)
        let second = try rig.submit(session: 2, named)
        #expect(rig.broker.liveQueries == 1)
        let different: (inout Submission) -> Void = {
            named(&$0)
            $0.requestHash = 1
        }
        #expect(try refusal { _ = try rig.submit(different) }.reason == .keyReused)
        let other = try rig.submit {
            named(&$0)
            $0.owner = "someone else"
        }
        #expect(rig.broker.liveQueries == 2)
        _ = rig.act()
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        #expect(rig.read(second).first == .accepted(try rig.id(first), .accept, isDuplicate: true))
        #expect(rig.read(other).first == .accepted(try rig.id(other), .accept, isDuplicate: false))
    }

    @Test("A name that the journal may know is looked up first: what it finds is answered, what it doesn't is new")
    func lookUps() throws {
        let key = IdempotencyKey(owner: "", key: "k")
        var old = AcceptedQuery.sample(3)
        old.idempotencyKey = "k"
        let end = QueryEnd(
            at: UnixTime(milliseconds: 5),
            code: .ok,
            finish: .stop,
            inputTokens: 3,
            output: OutputPart(firstIndex: 0, count: 1, ids: [0], text: Array("0 ".utf8)),
            worker: "w"
        )
        for isKnown in [true, false] {
            var rig = BrokerRig(journaled: Recovery(nextNumber: QueryNumber(rawValue: 9), keys: [key.fingerprint]))
            rig.join(1)
            let stream = try rig.submit { $0.idempotencyKey = "k" }
            #expect(rig.act() == [.lookUp(.key(key), ticket: 1)])
            rig.broker.found(isKnown ? KeptResult(accepted: old, end: end) : nil, ticket: 1, at: rig.now)
            let actions = rig.act()
            rig.broker.journaled(through: rig.broker.written, at: rig.now)
            let heard = rig.read(stream)
            if isKnown {
                #expect(heard.first == .accepted(old.id, .accept, isDuplicate: true))
                #expect(heard.last == .end(.ok))
            } else {
                #expect(actions.records.first?.kind == "accepted")
                #expect(heard.first == .accepted(try rig.id(stream), .accept, isDuplicate: false))
            }
        }
    }

    @Test("What only the journal knows can be attached to; what nobody knows is refused later")
    func attachesToKept() throws {
        var rig = BrokerRig(journaled: Recovery())
        let reader = StreamKey(session: SessionID(rawValue: 3), stream: 1)
        let id = QueryID(high: 9, low: 3)
        try rig.broker.attach(Attachment(query: id), by: reader)
        #expect(rig.act() == [.lookUp(.query(id), ticket: 1)])
        rig.broker.found(nil, ticket: 1, at: rig.now)
        guard case .refuse(reader, let status)? = rig.act().first else {
            Issue.record("the call was not refused")
            return
        }
        #expect(status.reason == .unknownQuery)
        // A call that was given up meanwhile is not answered.
        let gone = StreamKey(session: SessionID(rawValue: 3), stream: 2)
        try rig.broker.attach(Attachment(query: id), by: gone)
        _ = rig.act()
        #expect(rig.broker.cancel(gone, at: rig.now) == true)
        rig.broker.found(nil, ticket: 2, at: rig.now)
        #expect(rig.act().isEmpty)
    }

    @Test("What is written down goes on without its client, and ends when it is cancelled")
    func sessionsEnd() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let kept = try rig.submit()
        let volatile = try rig.submit { $0.durability = .volatile }
        #expect(rig.dispatched().count == 2)
        rig.broker.sessionEnded(SessionID(rawValue: 1), at: rig.now)
        #expect(try rig.record(kept).hasEnded == false)
        #expect(try rig.record(volatile).hasEnded)
        // Whoever looks at it and leaves does not end it either.
        let reader = try rig.attach(to: kept)
        #expect(rig.cancel(reader) == true)
        #expect(try rig.record(kept).hasEnded == false)
        try rig.broker.cancel(try rig.id(kept), by: other, at: rig.now)
        #expect(try rig.record(kept).endStatus?.reason == .cancelledByClient)
        #expect(rig.act().flatMap(\.revoked).count == 2)
    }

    @Test(
        "Checkpoints come with so many tokens or after so long, begin where the last ended and start over with a reset"
    )
    func checkpoints() throws {
        var rig = BrokerRig(journaled: Recovery()) { $0.checkpointTokens = 3 }
        rig.join(1, resumesPrefix: false)
        _ = try rig.submit { $0.durability = .stream }
        let lease = try #require(rig.dispatched().first).lease
        rig.step(1, .tokens(lease, from: 0, count: 2))
        #expect(rig.act().records.isEmpty)
        rig.step(1, .tokens(lease, from: 2))
        #expect(rig.act().records.compactMap(\.checkpoint).map(\.firstIndex) == [0])
        rig.tick(after: .milliseconds(250))
        rig.step(1, .tokens(lease, from: 3))
        let second = try #require(rig.act().records.first?.checkpoint)
        #expect(second.firstIndex == 3 && second.count == 1)
        rig.lose(1)
        rig.join(2, resumesPrefix: false)
        _ = rig.act()
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        #expect(rig.act().records.map(\.kind) == ["reset", "leased"])
    }

    @Test("An acknowledged result is forgotten, a running query's is not to be acknowledged")
    func acknowledges() throws {
        var rig = BrokerRig(journaled: Recovery())
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        let id = try rig.id(stream)
        let tooEarly = try refusal { try rig.broker.acknowledge(id, by: other, at: rig.now) }
        #expect(tooEarly.reason == .queryRuns)
        rig.step(1, .tokens(lease, from: 0, finish: .stop))
        _ = rig.act()
        rig.broker.journaled(through: rig.broker.written, at: rig.now)
        _ = rig.read(stream)
        try rig.broker.acknowledge(id, by: other, at: rig.now)
        #expect(rig.act().records.map(\.kind) == ["acknowledged"])
        #expect(rig.broker.query(id) == nil)
    }

    @Test("A worker that holds leases and reports nothing is expelled, once")
    func hangingEngine() throws {
        var rig = BrokerRig()
        rig.join(1)
        rig.join(2)
        _ = try rig.submit()
        #expect(rig.dispatched().count == 1)
        rig.tick(after: .seconds(119))
        #expect(rig.act().isEmpty)
        rig.tick(after: .seconds(1))
        guard case .expel(let worker, let status)? = rig.act().first else {
            Issue.record("the worker was not expelled")
            return
        }
        #expect(worker.rawValue == 1 && status.reason == .engineStalled)
        rig.tick(after: .seconds(120))
        #expect(rig.act().isEmpty)
    }
}
