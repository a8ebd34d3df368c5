internal import AccessControl
internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("API keys", .timeLimit(.minutes(2)))
struct AccessTests {
    private let key = APIKey()
    private let roaming = APIKey()
    private let chat = #"{"messages":[{"role":"user","content":"Hi"}]}"#

    private func registry(revoked: Int? = nil) throws -> AccessRegistry {
        try AccessRegistry([
            Principal(
                name: "web",
                role: .http,
                tenant: "acme",
                proof: .apiKey(key.digest),
                created: 1,
                revoked: revoked
            ),
            Principal(name: "proxy", role: .http, tenant: nil, proof: .apiKey(roaming.digest), created: 1),
        ])
    }

    private func bearer(_ key: APIKey) -> [String: String] { ["authorization": "Bearer \(key.text)"] }

    @Test("Without a good key the API is closed, in OpenAI's words")
    func refusals() async throws {
        let table = AccessTable(try registry())
        try await RunningGateway.with(StandInService(script: .hello), access: table) { gateway in
            let headers: [[String: String]] = [
                [:], ["authorization": ""], ["authorization": key.text], ["authorization": "Basic \(key.text)"],
                ["authorization": "Bearer"], ["authorization": "Bearer none"],
                ["authorization": "Bearer \(key.text) x"], bearer(APIKey()),
            ]
            for headers in headers {
                let response = try await gateway.request("POST", "/v1/chat/completions", headers: headers, body: chat)
                #expect(response.status == 401)
                #expect(response.headers["www-authenticate"] == "Bearer")
                #expect(response.body.contains(#""type":"authentication_error""#))
                #expect(response.body.contains(#""code":"invalid_api_key""#))
                #expect(!response.body.contains(key.text))
            }
            for path in ["/v1/models", "/v1/models/tiny"] {
                #expect(try await gateway.request("GET", path).status == 401)
                #expect(try await gateway.request("GET", path, headers: bearer(key)).status == 200)
            }
            for path in ["/health", "/ready", "/"] {
                #expect(try await gateway.request("GET", path).status == 200)
            }
        }
    }

    @Test("A key's tenant becomes the query's; another's is refused")
    func tenants() async throws {
        let service = StandInService(script: .hello)
        let table = AccessTable(try registry())
        try await RunningGateway.with(service, access: table) { gateway in
            func tenant(_ headers: [String: String]) async throws -> [String] {
                let response = try await gateway.request("POST", "/v1/chat/completions", headers: headers, body: chat)
                #expect(response.status == 200)
                return try await service.nextQuery().request.metadata.filter { $0.key == "x-aladdin-tenant" }.map(
                    \.value
                )
            }
            #expect(try await tenant(bearer(key)) == ["acme"])
            #expect(try await tenant(bearer(key).merging(["x-aladdin-tenant": "acme"]) { $1 }) == ["acme"])
            #expect(try await tenant(bearer(roaming).merging(["x-aladdin-tenant": "b"]) { $1 }) == ["b"])
            #expect(try await tenant(bearer(roaming)) == [])
            let claimed = bearer(key).merging(["x-aladdin-tenant": "other"]) { $1 }
            let response = try await gateway.request("POST", "/v1/chat/completions", headers: claimed, body: chat)
            #expect(response.status == 403)
            #expect(response.body.contains(#""code":"tenant_forbidden""#))
        }
    }

    @Test("A query is looked for in the key's tenant")
    func attaching() async throws {
        let service = StandInService(script: .hello)
        let table = AccessTable(try registry())
        let path = "/v1/queries/0190163d-8694-739b-aea5-966c26f8ad91"
        let keys: [(key: APIKey, tenant: String?)] = [(key, "acme"), (roaming, nil)]
        try await RunningGateway.with(service, access: table) { gateway in
            let stranger = try await gateway.request("GET", path)
            #expect(stranger.status == 401)
            for (key, tenant) in keys {
                for form in ["", "?stream=true"] {
                    let answer = try await gateway.request("GET", path + form, headers: bearer(key))
                    #expect(answer.status == 200)
                    let query = try await service.nextQuery()
                    #expect(query.tenant == tenant)
                }
            }
        }
    }

    @Test("A key that is revoked is refused from then on, on open connections too")
    func revoking() async throws {
        let table = AccessTable(try registry())
        try await RunningGateway.with(StandInService(script: .hello), access: table) { gateway in
            try await gateway.connect { connection in
                #expect(try await connection.request("GET", "/v1/models", headers: bearer(key)).status == 200)
                table.replace(try registry(revoked: 2))
                #expect(try await connection.request("GET", "/v1/models", headers: bearer(key)).status == 401)
            }
        }
    }
}
