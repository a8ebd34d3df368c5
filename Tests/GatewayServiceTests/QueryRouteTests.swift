internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("Queries by their identifier", .timeLimit(.minutes(2)))
struct QueryRouteTests {
    private let id = "0190163d-8694-739b-aea5-966c26f8ad91"

    @Test("A result is told whole, with what it took")
    func result() async throws {
        let service = StandInService(script: .hello)
        try await RunningGateway.with(service) { gateway in
            let response = try await gateway.request("GET", "/v1/queries/\(id)")
            #expect(try await service.nextQuery().attachedTo == id)
            #expect(response.status == 200)
            #expect(
                response.body == #"{"id":"\#(id)","object":"aladdin.query","status":"completed","worker":"w1","#
                    + #""text":"Hello, world","finish_reason":"stop","#
                    + #""usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}"#
            )
        }
    }

    @Test("A query that ended badly is told as such; one that is not known is not found")
    func failures() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            async let failed = gateway.request("GET", "/v1/queries/\(id)")
            let query = try await service.nextQuery()
            query.send(.accepted(id: id))
            query.fail(Status(.internalError, .poisonous, "It kills workers."))
            let told = try await failed
            #expect(told.status == 200)
            #expect(told.body.contains(#""status":"failed""#))
            #expect(told.body.contains(#""error":{"message":"It kills workers.","code":"poisonous"}"#))

            async let unknown = gateway.request("GET", "/v1/queries/\(id)")
            try await service.nextQuery().fail(Status(.notFound, .unknownQuery, "No such query."))
            #expect(try await unknown.status == 404)
            #expect(try await gateway.request("GET", "/v1/queries/nonsense").status == 400)
            #expect(try await gateway.request("POST", "/v1/queries/\(id)").status == 405)
        }
    }

    @Test("A stream tells each event with the index of its first token")
    func stream() async throws {
        try await RunningGateway.with(StandInService(script: .hello)) { gateway in
            let response = try await gateway.request("GET", "/v1/queries/\(id)?stream=true")
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(response.body.contains(#""event":"accepted""#))
            #expect(response.body.contains(#""event":"tokens","first_index":0"#))
            #expect(response.body.contains(#""event":"finished","finish_reason":"stop""#))
            #expect(response.body.hasSuffix("data: [DONE]\n\n"))
            #expect(try await gateway.request("GET", "/v1/queries/\(id)?stream=true&from=-1").status == 400)
        }
    }
}
