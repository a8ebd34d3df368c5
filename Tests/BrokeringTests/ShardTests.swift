import Brokering
import ServingModel
import Testing

@Suite("A broker that is one of several shards")
struct ShardTests {
    private static func membership(by key: ShardMap.Key, pins: [String: String]) throws -> ShardMembership {
        ShardMembership(shard: "a", in: try #require(ShardMap(shards: ["a", "b"], by: key, pins: pins)))
    }

    @Test("It refuses a model of another shard, whether or not it has workers for it")
    func models() throws {
        let shard = try Self.membership(by: .model, pins: ["m": "a", "n": "b"])
        var rig = BrokerRig { $0.shard = shard }
        rig.join(1, model: "m")
        rig.join(2, model: "n")
        _ = try rig.submit { $0.model = "m" }
        let refused = try refusal { _ = try rig.submit { $0.model = "n" } }
        #expect(refused.code == .failedPrecondition && refused.reason == .wrongShard)
        #expect(refused.message == "the model 'n' is served by the shard b, and this is a")
    }

    @Test("It refuses a tenant of another shard")
    func tenants() throws {
        let shard = try Self.membership(by: .tenant, pins: ["acme": "a", "other": "b"])
        var rig = BrokerRig { $0.shard = shard }
        rig.join(1)
        _ = try rig.submit { $0.tenant = "acme" }
        #expect(try refusal { _ = try rig.submit { $0.tenant = "other" } }.reason == .wrongShard)
    }

    @Test("A query that it took before its model moved is still found here by its name, and a new one is not taken")
    func moving() throws {
        let (here, gone) = try (
            Self.membership(by: .model, pins: ["m": "a"]), Self.membership(by: .model, pins: ["m": "b"])
        )
        var rig = BrokerRig { $0.shard = here }
        rig.join(1)
        _ = try rig.submit { $0.idempotencyKey = "once" }
        var moved = rig.broker.configuration
        moved.shard = gone
        rig.broker.reconfigure(moved)
        _ = try rig.submit(session: 2) { $0.idempotencyKey = "once" }
        #expect(rig.broker.liveQueries == 1)
        #expect(try refusal { _ = try rig.submit { $0.idempotencyKey = "twice" } }.reason == .wrongShard)
    }
}
