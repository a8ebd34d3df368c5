internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("OpenAI's other endpoints", .timeLimit(.minutes(2)))
struct OpenAIEndpointTests {
    @Test(
        "What is not offered says so in OpenAI's shape, whatever the method, and that trying again is of no use",
        arguments: [
            ("POST", "/v1/embeddings", "embeddings"), ("GET", "/v1/files/file-1/content", "files"),
            ("POST", "/v1/audio/transcriptions", "audio"), ("DELETE", "/v1/responses/r1", "responses"),
        ]
    )
    func refused(method: String, path: String, family: String) async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            let response = try await gateway.request(method, path)
            #expect(response.status == 501)
            #expect(response.headers["x-should-retry"] == "false")
            #expect(
                response.body == #"{"error":{"message":"This service does not have /v1/\#(family). It has "#
                    + #"/v1/chat/completions, /v1/completions and /v1/models.","type":"server_error","param":null,"#
                    + #""code":"unsupported"}}"#
            )
        }
    }

    @Test("What is nobody's stays unknown", arguments: ["/v1/embedding", "/embeddings", "/v1/", "/v2/embeddings"])
    func unknown(path: String) async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            let response = try await gateway.request("POST", path)
            #expect(response.status == 404)
        }
    }
}
