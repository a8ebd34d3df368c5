import Brokering
import ServingModel
import Testing

@Suite("Queries of one tenant and eyes of another")
struct AccountTests {
    private let acme = Account(tenant: "acme")
    private let other = Account(tenant: "other")

    private func rig() throws -> (rig: BrokerRig, stream: StreamKey) {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit { $0.tenant = "acme" }
        return (rig, stream)
    }

    private let reader = StreamKey(session: SessionID(rawValue: 9), stream: 1)

    @Test("Another tenant's query is not found, in the very words of one that never was")
    func attaching() throws {
        var (rig, stream) = try rig()
        let id = try #require(rig.ids[stream])
        let hidden = try refusal { try rig.broker.attach(Attachment(query: id, account: other), by: reader) }
        let missing = try refusal {
            try rig.broker.attach(Attachment(query: QueryID(high: 5, low: 5), account: other), by: reader)
        }
        #expect(hidden == missing)
        #expect(hidden.code == .notFound && hidden.reason == .unknownQuery)
        // Not even an index beyond its end betrays it.
        #expect(
            try refusal { try rig.broker.attach(Attachment(query: id, firstIndex: 9999, account: other), by: reader) }
                == missing
        )
        try rig.broker.attach(Attachment(query: id, account: acme), by: reader)
        #expect(rig.read(reader).isEmpty == false)
    }

    @Test("Nor can another tenant end it or have it forgotten; its own can")
    func ending() throws {
        var (rig, stream) = try rig()
        let id = try #require(rig.ids[stream])
        let missing = QueryID(high: 5, low: 5)
        let hidden = try refusal { try rig.broker.cancel(id, as: other, by: reader, at: rig.now) }
        #expect(try refusal { try rig.broker.cancel(missing, as: other, by: reader, at: rig.now) } == hidden)
        #expect(try !rig.record(stream).hasEnded)
        try rig.broker.cancel(id, as: acme, by: reader, at: rig.now)
        #expect(try rig.record(stream).hasEnded)
        #expect(try refusal { try rig.broker.acknowledge(id, as: other, by: reader, at: rig.now) } == hidden)
        try rig.broker.acknowledge(id, as: acme, by: reader, at: rig.now)
    }

    @Test("An idempotency key is unique within a tenant, so that nobody meets another tenant's query by its name")
    func names() throws {
        var rig = BrokerRig()
        rig.join(1)
        func submit(_ account: Account) throws -> StreamKey {
            var failure: Status?
            let stream = try rig.submit {
                $0.idempotencyKey = "monday"
                do throws(Status) { try $0.charge(account) } catch { failure = error }
            }
            #expect(failure == nil)
            return stream
        }
        _ = try submit(acme)
        _ = try submit(other)
        #expect(rig.broker.liveQueries == 2)
        _ = try submit(acme)
        #expect(rig.broker.liveQueries == 2)
    }

    @Test("Nor is it explained to another tenant; who speaks for any sees all")
    func explaining() throws {
        let (rig, stream) = try rig()
        let id = try #require(rig.ids[stream])
        let hidden = try refusal { _ = try rig.broker.explanation(of: id, as: other, at: rig.now) }
        let missing = try refusal {
            _ = try rig.broker.explanation(of: QueryID(high: 5, low: 5), as: other, at: rig.now)
        }
        #expect(hidden == missing)
        for account in [acme, .any] {
            #expect(try rig.broker.explanation(of: id, as: account, at: rig.now).tenant == "acme")
        }
    }

    @Test("A query gets its account's tenant; another's is refused; who speaks for any chooses")
    func charging() throws {
        func charged(_ account: Account, naming tenant: String) throws -> String {
            var submission = Submission(model: "m", inputTokens: nil, promptBytes: 1, maxTokens: 1, request: [])
            submission.tenant = tenant
            try submission.charge(account)
            return submission.tenant
        }
        #expect(try charged(acme, naming: "") == "acme")
        #expect(try charged(acme, naming: "acme") == "acme")
        #expect(try refusal { _ = try charged(acme, naming: "other") }.reason == .tenantForbidden)
        #expect(try charged(.any, naming: "other") == "other")
        #expect(try charged(.any, naming: "") == "")
    }

    @Test("Who speaks for any tenant can speak for one, and not the other way round")
    func acting() throws {
        #expect(try Account.any.acting(for: "acme") == acme)
        #expect(try Account.any.acting(for: "") == .any)
        #expect(try acme.acting(for: "") == acme)
        #expect(try refusal { _ = try acme.acting(for: "other") }.code == .permissionDenied)
    }
}
