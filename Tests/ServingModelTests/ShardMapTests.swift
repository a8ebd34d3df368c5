import Testing

@testable import ServingModel

@Suite("Which shard serves what")
struct ShardMapTests {
    private static let models = (0..<2000).map { "model-\($0)" }

    private static func map(_ shards: [String], pins: [String: String] = [:]) throws -> ShardMap {
        try #require(ShardMap(shards: shards, pins: pins))
    }

    @Test("Weights are those that the protocol's page gives, so that a client of any language finds the same shard")
    func weights() {
        #expect(ShardMap.weight(of: "a", for: "llama-3-8b") == 0x9912_B33E_DDB6_F109)
        #expect(ShardMap.weight(of: "b", for: "llama-3-8b") == 0x1BB0_F3DA_725F_7D64)
        #expect(ShardMap.weight(of: "ä", for: "") == 0x0C85_E2C9_5073_96D7)
    }

    @Test("Each shard gets its share of names that differ little", arguments: [2, 3, 5, 16])
    func shares(count: Int) throws {
        let map = try Self.map((0..<count).map { "shard-\($0)" })
        let sizes = Dictionary(grouping: Self.models, by: map.shard(for:)).mapValues(\.count)
        let fair = Double(Self.models.count) / Double(count)
        // Five standard deviations of a fair draw.
        let tolerance = 5 * (fair * (1 - 1 / Double(count))).squareRoot()
        #expect(sizes.count == count)
        for (shard, size) in sizes { #expect(abs(Double(size) - fair) < tolerance, "\(shard) has \(size)") }
    }

    @Test("A shard that is added takes its share and moves nothing between the others")
    func growth() throws {
        let (three, four) = (try Self.map(["a", "b", "c"]), try Self.map(["a", "b", "c", "d"]))
        let moved = Self.models.filter { three.shard(for: $0) != four.shard(for: $0) }
        #expect(moved.allSatisfy { four.shard(for: $0) == "d" })
        #expect((400...600).contains(moved.count))
    }

    @Test("The order in which shards are listed says nothing")
    func order() throws {
        let (one, other) = (try Self.map(["a", "b", "c"]), try Self.map(["c", "a", "b"]))
        #expect(Self.models.allSatisfy { one.shard(for: $0) == other.shard(for: $0) })
    }

    @Test("A pin wins over the rule, for its name alone")
    func pins() throws {
        let plain = try Self.map(["a", "b"])
        let model = try #require(Self.models.first { plain.shard(for: $0) == "a" })
        let pinned = try Self.map(["a", "b"], pins: [model: "b"])
        #expect(pinned.shard(for: model) == "b")
        #expect(Self.models.allSatisfy { $0 == model || pinned.shard(for: $0) == plain.shard(for: $0) })
    }

    @Test("A map needs shards, each once, and pins to one of them")
    func wrongMaps() {
        #expect(ShardMap(shards: []) == nil)
        #expect(ShardMap(shards: ["a", "a"]) == nil)
        #expect(ShardMap(shards: ["a"], pins: ["m": "b"]) == nil)
    }

    @Test("A member sends away what another shard serves, by models or by tenants")
    func membership() throws {
        let byModel = ShardMembership(shard: "a", in: try Self.map(["a", "b"], pins: ["m": "b", "n": "a"]))
        try byModel.check(model: "n")
        try byModel.check(tenant: "m")
        let refusal = #expect(throws: Status.self) { try byModel.check(model: "m") }
        #expect(refusal?.code == .failedPrecondition && refusal?.reason == .wrongShard)
        #expect(refusal?.message == "the model 'm' is served by the shard b, and this is a")
        let map = try #require(ShardMap(shards: ["a", "b"], by: .tenant, pins: ["acme": "b"]))
        let byTenant = ShardMembership(shard: "a", in: map)
        try byTenant.check(model: "acme")
        #expect(throws: Status.self) { try byTenant.check(tenant: "acme") }
    }
}
