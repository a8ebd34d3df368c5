internal import ServingModel
internal import Testing

@testable internal import AladdinClient

@Suite("A client of several shards")
struct ShardedClientTests {
    private static let unreachable = Status(.unavailable, .none, "no connection to the broker")

    private static func client(
        of shards: [StandInShard],
        by key: ShardMap.Key = .model,
        pins: [String: String] = [:]
    ) throws -> ShardedClient {
        let map = try #require(ShardMap(shards: shards.map(\.name), by: key, pins: pins))
        return ShardedClient(map, clients: Dictionary(uniqueKeysWithValues: shards.map { ($0.name, $0) }))
    }

    private static func request(_ model: String, tenant: String? = nil) -> QueryRequest {
        QueryRequest(
            model: model,
            input: .text("x"),
            maxTokens: 1,
            metadata: tenant.map { [("x-aladdin-tenant", $0)] } ?? []
        )
    }

    @Test("sends a query to the shard of its model, and by another rule from when it is told")
    func byModel() async throws {
        let client = try Self.client(of: [StandInShard("a"), StandInShard("b")], pins: ["m": "a", "n": "b"])
        #expect(try await client.generate(Self.request("m")).acceptor() == "a")
        #expect(try await client.generate(Self.request("n", tenant: "acme")).acceptor() == "b")
        client.adopt(try #require(ShardMap(shards: ["a", "b"], pins: ["m": "b"])))
        #expect(try await client.generate(Self.request("m")).acceptor() == "b")
    }

    @Test("sends a query to the shard of its tenant")
    func byTenant() async throws {
        let shards = [StandInShard("a"), StandInShard("b")]
        let client = try Self.client(of: shards, by: .tenant, pins: ["acme": "b", "": "a"])
        #expect(try await client.generate(Self.request("", tenant: "acme")).acceptor() == "b")
        #expect(try await client.generate(Self.request("m")).acceptor() == "a")
    }

    @Test("refuses a query without a model where that says which shard it is for")
    func modelIsMissing() async throws {
        let shard = StandInShard("a")
        let client = try Self.client(of: [shard])
        let refusal = await #expect(throws: Status.self) { try await client.generate(Self.request("")).acceptor() }
        #expect(refusal?.code == .invalidArgument && refusal?.reason == .unknownModel)
        #expect(shard.generated.isEmpty)
    }

    @Test("finds a query that it is to read on whichever shard it is")
    func attaching() async throws {
        let client = try Self.client(of: [StandInShard("a", knows: "1"), StandInShard("b", knows: "2")])
        #expect(try await client.attach(to: "1").acceptor() == "a")
        #expect(try await client.attach(to: "2").acceptor() == "b")
        let refusal = await #expect(throws: Status.self) { try await client.attach(to: "3").acceptor() }
        #expect(refusal?.reason == .unknownQuery)
    }

    @Test("says of a query that it can't find that a shard can't be reached, if so")
    func attachingWithoutAShard() async throws {
        let gone = StandInShard("a", offers: .failure(Self.unreachable))
        let client = try Self.client(of: [gone, StandInShard("b", knows: "2")])
        #expect(try await client.attach(to: "2").acceptor() == "b")
        let refusal = await #expect(throws: Status.self) { try await client.attach(to: "3").acceptor() }
        #expect(refusal == Self.unreachable)
    }

    @Test("looks for a tenant's query on the tenant's shard first")
    func attachingByTenant() async throws {
        let shards = [StandInShard("a", knows: "1"), StandInShard("b", knows: "1")]
        let client = try Self.client(of: shards, by: .tenant, pins: ["acme": "b"])
        #expect(try await client.attach(to: "1", from: 0, tenant: "acme").acceptor() == "b")
        #expect(shards[0].attached.isEmpty)
    }

    @Test("ends and acknowledges a query on whichever shard it is")
    func cancellingAndAcknowledging() async throws {
        let shards = [StandInShard("a", knows: "1"), StandInShard("b", knows: "2"), StandInShard("c")]
        let client = try Self.client(of: shards)
        try await client.cancel("2")
        try await client.acknowledge("2")
        #expect(shards.map(\.cancelled) == [["2"], ["2"], []])
        #expect(shards.map(\.acknowledged) == [["2"], ["2"], []])
        let refusal = await #expect(throws: Status.self) { try await client.cancel("3") }
        #expect(refusal?.code == .notFound && refusal?.reason == .unknownQuery)
        #expect(shards.allSatisfy { $0.cancelled.last == "3" })
    }

    @Test(
        "says of a query that it can't end or acknowledge why: a shard that can't be reached, or what the right one says"
    )
    func refusedCalls() async throws {
        let unended = Status(.failedPrecondition, .queryRuns, "it has not ended")
        let gone = StandInShard("a", offers: .failure(Self.unreachable))
        let last = StandInShard("c", knows: "2")
        let client = try Self.client(of: [gone, StandInShard("b", knows: "2", refusal: unended), last])
        try await client.cancel("2")
        await #expect(throws: Self.unreachable) { try await client.cancel("3") }
        await #expect(throws: unended) { try await client.acknowledge("2") }
        #expect(last.acknowledged.isEmpty)
        await #expect(throws: Self.unreachable) { try await client.acknowledge("3") }
    }

    @Test("asks a tenant's shard first to end a query")
    func cancellingByTenant() async throws {
        let shards = [StandInShard("a", knows: "1"), StandInShard("b", knows: "1")]
        let client = try Self.client(of: shards, by: .tenant, pins: ["acme": "b"])
        try await client.cancel("1", tenant: "acme")
        try await client.acknowledge("1", tenant: "acme")
        #expect(shards[0].cancelled.isEmpty && shards[0].acknowledged.isEmpty)
        #expect(shards[1].cancelled == ["1"] && shards[1].acknowledged == ["1"])
    }

    @Test("lists the models of all shards that answer, each once")
    func models() async throws {
        let shared = ServedModel(name: "m", workers: 2, contextLength: 2048, engine: "cpu")
        let larger = ServedModel(name: "m", workers: 3, contextLength: 4096, engine: "vllm")
        let own = ServedModel(name: "l", workers: 1, contextLength: 1024, engine: "cpu")
        let gone = StandInShard("c", offers: .failure(Self.unreachable))
        let client = try Self.client(
            of: [
                StandInShard("a", offers: .success([shared, own])), StandInShard("b", offers: .success([larger])), gone,
            ]
        )
        let models = try await client.models()
        #expect(models == [own, ServedModel(name: "m", workers: 5, contextLength: 4096, engine: "mixed")])
        #expect(await client.isConnected)
        let alone = try Self.client(of: [gone])
        await #expect(throws: Self.unreachable) { try await alone.models() }
        #expect(await !alone.isConnected)
    }

    @Test("leaves queries on every shard")
    func leaving() async throws {
        let shards = [StandInShard("a"), StandInShard("b")]
        let client = try Self.client(of: shards)
        await client.leave("1")
        await client.leaveAll()
        #expect(shards.allSatisfy { $0.left == ["1", "all"] })
    }
}
