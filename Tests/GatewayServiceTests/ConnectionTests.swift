internal import AladdinClient
internal import ServingModel
internal import Telemetry
internal import Testing

@testable internal import GatewayService

@Suite("Connections and the requests on them", .timeLimit(.minutes(2)))
struct ConnectionTests {
    private static func body(streaming: Bool, prompt: String = "x") -> String {
        #"{"model":"tiny","prompt":"\#(prompt)","stream":\#(streaming)}"#
    }

    private static func completion(_ prompt: String, headers: String = "") -> String {
        let body = body(streaming: false, prompt: prompt)
        return "POST /v1/completions HTTP/1.1\r\nHost: a\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func answer(_ text: String) -> [QueryEvent] {
        .opening + [
            .tokens(firstIndex: 0, count: 1, ids: [], text: text),
            .finished(reason: .stop, inputTokens: 1, outputTokens: 1),
        ]
    }

    @Test(
        "A connection that its client wants closed brings all of the answer first, however large",
        arguments: [false, true],
        [1, 8 << 20]
    )
    func closes(streaming: Bool, bytes: Int) async throws {
        let text = String(repeating: "y", count: bytes)
        try await RunningGateway.with(StandInService(script: Self.answer(text))) { gateway in
            for _ in 0..<(bytes > 1 ? 1 : 5) {
                try await gateway.connect { connection in
                    try await connection.sendRequest(
                        "POST",
                        "/v1/completions",
                        headers: ["Connection": "close"],
                        body: Self.body(streaming: streaming)
                    )
                    let response = try await connection.response()
                    #expect(response.status == 200)
                    #expect(response.headers["connection"] == "close")
                    #expect(response.body.utf8.count > bytes)
                    #expect(response.body.hasSuffix(streaming ? "data: [DONE]\n\n" : "}"))
                    #expect(try await connection.isClosedByServer())
                }
            }
        }
    }

    @Test("Requests that come at once are answered one after the other, whoever answers them")
    func pipelined() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                let health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
                try await connection.send(
                    Self.completion("first") + health + Self.completion("second") + Self.completion("third") + health
                )
                for prompt in ["first", "second", "third"] {
                    let query = try await service.nextQuery()
                    #expect(query.request.input == .text(prompt))
                    query.send(Self.answer("to \(prompt)"))
                    #expect(try await connection.response().body.contains("to \(prompt)"))
                    if prompt != "second" { #expect(try await connection.response().body == #"{"status":"ok"}"#) }
                }
            }
        }
    }

    @Test("A request that is answered before its body has come keeps nobody from the next")
    func answeredEarly() async throws {
        let service = StandInService(script: Self.answer("a"))
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                for _ in 0..<3 {
                    try await connection.send(
                        "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
                    )
                    #expect(try await connection.response().status == 501)
                    try await connection.send("{}" + Self.completion("next"))
                    #expect(try await connection.response().status == 200)
                }
            }
        }
    }

    @Test("What follows a request that wants its connection closed is not answered")
    func closesBeforeTheNext() async throws {
        let service = StandInService(script: Self.answer("a"))
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.send(
                    Self.completion("first", headers: "Connection: close\r\n") + Self.completion("second")
                )
                #expect(try await connection.response().status == 200)
                #expect(try await connection.isClosedByServer())
            }
            #expect(try await service.nextQuery().request.input == .text("first"))
            #expect(gateway.metrics.exposition().contains(#"requests_total{route="/v1/completions",code="200"} 1"#))
        }
    }

    @Test("A body may come in pieces, and one that becomes too large is refused without the connection's loss")
    func pieces() async throws {
        let service = StandInService(script: Self.answer("a"))
        try await RunningGateway.with(service, .test { $0.maximumBodyBytes = 100 }) { gateway in
            try await gateway.connect { connection in
                let head = "POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                for piece in [head, "b\r\n{\"prompt\": \r\n", "4\r\n\"x\"}\r\n", "0\r\n\r\n"] {
                    try await connection.send(piece)
                }
                #expect(try await connection.response().status == 200)
                let piece = "32\r\n" + String(repeating: " ", count: 50) + "\r\n"
                try await connection.send(head + piece + piece)
                try await connection.send(piece)
                let refusal = try await connection.response()
                #expect(refusal.status == 413)
                #expect(refusal.body.contains("may have 100 bytes at most"))
                try await connection.send(piece + "0\r\n\r\n" + Self.completion("y"))
                #expect(try await connection.response().status == 200)
            }
        }
    }

    @Test("What is no HTTP is refused, after the answer that was asked for before it")
    func garbage() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.send(Self.completion("first") + "nonsense\r\n\r\n")
                try await service.nextQuery().send(Self.answer("a"))
                #expect(try await connection.response().status == 200)
                #expect(try await connection.isClosedByServer())
            }
            try await gateway.connect { connection in
                let head = "POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await connection.send(head + "nonsense\r\n")
                #expect(try await connection.response().status == 400)
                #expect(try await connection.isClosedByServer())
            }
        }
    }

    @Test("A date is written as HTTP wants it")
    func date() {
        #expect(DateHeader.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(DateHeader.text(1_709_164_800) == "Thu, 29 Feb 2024 00:00:00 GMT")
    }
}
