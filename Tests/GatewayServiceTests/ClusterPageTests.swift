internal import AccessControl
internal import NIOCore
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("The live page", .timeLimit(.minutes(2)))
struct ClusterPageTests {
    private let insight = ClusterInsight(metrics: { "" }, status: { #"{"models":[]}"# })

    @Test("The page stands alone: nothing in it is loaded from elsewhere, and its policy forbids it")
    func page() async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            let page = try await gateway.request("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(page.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
            for part in ["page.css", "charts.js", "view.js", "page.js"] {
                #expect(!page.body.contains("/*\(part)*/"), "\(part) is not in the page")
            }
            for part in [
                "prefers-color-scheme: dark", "function chart(", "function showWorkers(", "async function turn(",
            ] {
                #expect(page.body.contains(part), "\(part)")
            }
            let links = page.body.matches(of: /(?:src|href)="([^"]*)"/).map(\.1)
            #expect(links.allSatisfy { !$0.contains(":") || $0 == "data:," }, "\(links)")
        }
    }

    @Test("Text that others chose reaches the page as text, never as markup")
    func markup() {
        let page = String(buffer: ClusterPage.document)
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            #expect(!page.contains(word), "\(word)")
        }
    }

    @Test("The cluster's status is passed on as it is and kept by nobody")
    func status() async throws {
        try await RunningGateway.with(StandInService(), cluster: insight) { gateway in
            let answer = try await gateway.request("GET", "/v1/cluster")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.body == #"{"models":[]}"#)
            #expect(try await gateway.request("POST", "/v1/cluster", body: "{}").status == 405)
        }
    }

    @Test("A broker that does not answer is an error with its reason, and the page is still there")
    func lostBroker() async throws {
        let lost = ClusterInsight(
            metrics: { "" },
            status: { throw Status(.unavailable, .none, "no broker answers at tcp://127.0.0.1:5553") }
        )
        try await RunningGateway.with(StandInService(), cluster: lost) { gateway in
            let answer = try await gateway.request("GET", "/v1/cluster")
            #expect(answer.status == 503)
            #expect(answer.body.contains("no broker answers at tcp://127.0.0.1:5553"))
            #expect(try await gateway.request("GET", "/").status == 200)
        }
        try await RunningGateway.with(StandInService()) { gateway in
            let unknown = try await gateway.request("GET", "/v1/cluster")
            #expect(unknown.status == 501)
        }
    }

    @Test("With keys the page is for everybody, and figures of all tenants are for keys that speak for all of them")
    func access() async throws {
        let (narrow, wide) = (APIKey(), APIKey())
        let table = AccessTable(
            try AccessRegistry([
                Principal(name: "web", role: .http, tenant: "acme", proof: .apiKey(narrow.digest), created: 1),
                Principal(name: "eye", role: .http, tenant: nil, proof: .apiKey(wide.digest), created: 1),
            ])
        )
        try await RunningGateway.with(StandInService(), cluster: insight, access: table) { gateway in
            #expect(try await gateway.request("GET", "/").status == 200)
            for path in ["/v1/cluster", "/metrics"] {
                #expect(try await gateway.request("GET", path).status == 401)
                let refused = try await gateway.request(
                    "GET",
                    path,
                    headers: ["authorization": "Bearer \(narrow.text)"]
                )
                #expect(refused.status == 403)
                #expect(refused.body.contains(#""code":"tenant_forbidden""#))
                let shown = try await gateway.request("GET", path, headers: ["authorization": "Bearer \(wide.text)"])
                #expect(shown.status == 200)
            }
        }
    }
}
