import Brokering
import ServingModel
import Testing

@Suite("Results that only the journal has")
struct KeptResultTests {
    private let stream = StreamKey(session: SessionID(rawValue: 9), stream: 1)
    private let acme = Account(tenant: "acme")
    private let kept = Self.result()

    private static func result() -> KeptResult {
        var accepted = AcceptedQuery.sample(7)
        accepted.tenant = "acme"
        accepted.request = []
        let failure = FailedAttempt(
            attempt: 1,
            worker: "w7",
            at: UnixTime(milliseconds: 501),
            code: .unavailable,
            reason: .workerLost,
            message: "its worker was lost",
            outputTokens: 0
        )
        let end = QueryEnd(
            at: UnixTime(milliseconds: 9000),
            code: .ok,
            finish: .stop,
            inputTokens: 3,
            output: OutputPart(firstIndex: 0, count: 2, ids: [0, 1], text: Array("0 1 ".utf8)),
            attempt: 2,
            worker: "w8",
            firstToken: .seconds(1),
            lastToken: .seconds(2)
        )
        return KeptResult(accepted: accepted, end: end, failures: [failure])
    }

    private var rig: BrokerRig {
        BrokerRig(journaled: Recovery(nextNumber: QueryNumber(rawValue: 8)))
    }

    /// The journal says what it has.
    private func answer(_ result: KeptResult?, to rig: inout BrokerRig, ticket: UInt64 = 1) -> [BrokerAction] {
        #expect(rig.act() == [.lookUp(.query(kept.accepted.id), ticket: ticket)])
        rig.broker.found(result, ticket: ticket, at: rig.now)
        return rig.act()
    }

    @Test("One is acknowledged when the journal has found it, and is gone")
    func acknowledging() throws {
        var rig = rig
        let isDone = try rig.broker.acknowledge(kept.accepted.id, as: acme, by: stream, at: rig.now)
        #expect(!isDone)
        #expect(answer(kept, to: &rig) == [.write(.acknowledged(kept.accepted.number)), .answer(stream)])
        #expect(rig.broker.query(kept.accepted.id) == nil)
    }

    @Test("Cancelling one changes nothing and is no error, as with any query that has ended")
    func cancelling() throws {
        var rig = rig
        let isDone = try rig.broker.cancel(kept.accepted.id, as: acme, by: stream, at: rig.now)
        #expect(!isDone)
        #expect(answer(kept, to: &rig) == [.answer(stream)])
        #expect(rig.broker.query(kept.accepted.id)?.endStatus == .ok)
    }

    @Test("One is explained with its attempts, all that the journal has of them")
    func explaining() throws {
        var rig = rig
        let early = try rig.broker.explain(kept.accepted.id, as: acme, for: stream, at: rig.now)
        #expect(early == nil)
        let actions = answer(kept, to: &rig)
        guard case .explain(stream, let story)? = actions.first else {
            Issue.record("it was not explained: \(actions)")
            return
        }
        #expect(story.attempts.map(\.workerName) == ["w7", "w8"])
        #expect(story.attempts.map { $0.failure?.reason } == [.workerLost, nil])
        #expect(story.attempts.last?.firstToken == .seconds(1))
        #expect(story.state == .ended(.ok) && story.outputTokens == 2)
        // It is in memory now: nobody is asked again.
        let again = try rig.broker.explain(kept.accepted.id, as: acme, for: stream, at: rig.now)
        #expect(again == story)
    }

    @Test("Another tenant's is not found, in the very words of one that never was", arguments: [true, false])
    func tenants(isThere: Bool) throws {
        let other = Account(tenant: "other")
        let id = kept.accepted.id
        let refused = [BrokerAction.refuse(stream, Status(.notFound, .unknownQuery, Self.unknown))]
        let stream = stream
        let calls: [(inout BrokerRig) throws -> Void] = [
            { rig in try rig.broker.acknowledge(id, as: other, by: stream, at: rig.now) },
            { rig in try rig.broker.cancel(id, as: other, by: stream, at: rig.now) },
            { rig in _ = try rig.broker.explain(id, as: other, for: stream, at: rig.now) },
            { rig in try rig.broker.attach(Attachment(query: id, account: other), by: stream) },
        ]
        for call in calls {
            var rig = rig
            try call(&rig)
            #expect(answer(isThere ? kept : nil, to: &rig) == refused)
        }
    }

    private static let unknown = "no such query, or its result is no longer kept"

    @Test("A call that is given up while the journal is asked changes nothing and is not answered")
    func givingUp() throws {
        var rig = rig
        _ = try rig.broker.acknowledge(kept.accepted.id, as: acme, by: stream, at: rig.now)
        let wasOpen = rig.cancel(stream)
        #expect(wasOpen)
        #expect(answer(kept, to: &rig).isEmpty)
    }

    @Test("A model that the journal knows is waited for; one that it does not know is not found")
    func models() throws {
        var rig = BrokerRig(journaled: Recovery(models: ["m"]))
        let stream = try rig.submit()
        let unnamed = try rig.submit { $0.model = "" }
        #expect(try rig.record(unnamed).model == "m")
        let unknown = try refusal { _ = try rig.submit { $0.model = "other" } }
        #expect(unknown.code == .notFound && unknown.message.contains("m"))
        rig.join(1)
        #expect(rig.dispatched().count == 2)
        #expect(try !rig.record(stream).hasEnded)
    }

    @Test("Who waits for workers that do not come back is told so when patience ends")
    func patience() throws {
        var rig = BrokerRig(journaled: Recovery(models: ["m"])) { $0.durableNoWorkerPatience = .seconds(30) }
        let stream = try rig.submit()
        rig.tick(after: .seconds(29))
        #expect(try !rig.record(stream).hasEnded)
        rig.tick(after: .seconds(1))
        let status = try #require(try rig.record(stream).endStatus)
        #expect(status.code == .unavailable && status.reason == .noWorker && status.retryAfter != nil)
    }
}
