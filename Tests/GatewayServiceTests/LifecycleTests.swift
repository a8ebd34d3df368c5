internal import AladdinClient
internal import ServingModel
internal import Telemetry
internal import Testing

@testable internal import GatewayService

@Suite("The gateway's life", .timeLimit(.minutes(2)))
struct LifecycleTests {
    @Test("Port 0 lets the system choose, and the choice is reported")
    func portZero() async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            #expect(gateway.port > 0)
            #expect(gateway.address == "127.0.0.1:\(gateway.port)")
        }
    }

    @Test("A port in use is an error that names the address")
    func portInUse() async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            let second = GatewayService(
                configuration: GatewayConfiguration(port: gateway.port),
                service: StandInService(),
                metrics: MetricRegistry(),
                logger: RunningGateway.silence
            )
            let error = await #expect(throws: GatewayError.self) { try await second.run() }
            let expected = "cannot listen on 127.0.0.1:\(gateway.port): another process listens there already"
            #expect(error?.message == expected)
        }
    }

    @Test("A host that does not exist is an error that names it")
    func unknownHost() async throws {
        let gateway = GatewayService(
            configuration: GatewayConfiguration(host: "203.0.113.1", port: 0),
            service: StandInService(),
            metrics: MetricRegistry(),
            logger: RunningGateway.silence
        )
        let error = await #expect(throws: GatewayError.self) { try await gateway.run() }
        #expect(error?.message == "cannot listen on 203.0.113.1:0: this machine has no such address")
    }

    @Test("Shutdown lets an answer under way finish")
    func finishes() async throws {
        let service = StandInService()
        let configuration = GatewayConfiguration.test { $0.shutdownGrace = .seconds(60) }
        try await RunningGateway.with(service, configuration) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
                let query = try await service.nextQuery()
                await gateway.shutDown()
                query.send(.hello)
                #expect(try await connection.response().status == 200)
                #expect(try await connection.isClosedByServer())
            }
        }
    }

    @Test("Shutdown ends an answer that takes too long", arguments: [false, true])
    func ends(streaming: Bool) async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                let body = #"{"model":"tiny","prompt":"x","stream":\#(streaming)}"#
                try await connection.sendRequest("POST", "/v1/completions", body: body)
                let query = try await service.nextQuery()
                query.send(.opening + [.tokens(firstIndex: 0, count: 1, ids: [], text: "a")])
                if streaming {
                    #expect(try await connection.head().status == 200)
                    _ = try await connection.chunk()
                }
                await gateway.shutDown()
                #expect(await query.wasCancelled())
                #expect(service.left == ["all"])
                if streaming {
                    #expect(try #require(await connection.chunk()).contains(#""code":"shutting_down""#))
                } else {
                    let response = try await connection.response()
                    #expect(response.status == 503)
                    #expect(response.headers["retry-after"] == "1")
                }
            }
        }
    }

    @Test("Cancelling the task ends the gateway at once")
    func cancels() async throws {
        let service = StandInService()
        let query = try await withThrowingTaskGroup(of: Void.self) { tasks in
            let (ports, source) = AsyncStream.makeStream(of: Int.self)
            let gateway = GatewayService(
                configuration: GatewayConfiguration(port: 0),
                service: service,
                metrics: MetricRegistry(),
                logger: RunningGateway.silence,
                onListening: { source.yield($1) }
            )
            tasks.addTask { try await gateway.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            return try await TestConnection.open(port: port) { connection in
                try await connection.sendRequest("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
                let query = try await service.nextQuery()
                tasks.cancelAll()
                _ = await tasks.nextResult()
                return query
            }
        }
        #expect(await query.wasCancelled())
    }
}
