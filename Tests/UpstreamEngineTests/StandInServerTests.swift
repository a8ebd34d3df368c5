import Foundation
import HTTPTransfers
import ServingModel
import StandInServer
import Testing

@Suite("The stand-in server is as strict as it says", .timeLimit(.minutes(1)))
struct StandInServerTests {
    private func post(_ body: String, _ path: String = "/v1/completions", owner: String = "vllm") async throws -> Int {
        var model = StandInModel()
        model.owner = owner
        let server = try await StandInServer.start(model)
        let client = HTTPClient()
        client.start()
        var request = HTTPRequest(server.url + path)
        request.body = Array(body.utf8)
        let status = try await client.fetch(request).status
        await client.stop()
        await server.stop()
        return status
    }

    @Test(
        "It takes what is right and nothing else",
        arguments: [
            (#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": "a"}"#, 200),
            (#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": [1, 2]}"#, 200),
            (#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": ["a"]}"#, 400),
            (#"{"model": "stand-in", "stream": true, "max_tokens": 3}"#, 400),
            (#"{"model": "stand-in", "stream": true, "max_tokens": 0, "prompt": "a"}"#, 400),
            (#"{"model": "stand-in", "stream": true, "prompt": "a"}"#, 400),
            (#"{"model": "stand-in", "stream": false, "max_tokens": 3, "prompt": "a"}"#, 400),
            (#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": "a", "frobnicate": 1}"#, 400),
            (#"{"model": "stand-in", "stream": true, "max_tokens": 5000, "prompt": "a"}"#, 400),
            (#"{"model": "other", "stream": true, "max_tokens": 3, "prompt": "a"}"#, 404), ("{", 400), ("", 400),
        ]
    )
    func strictness(body: String, status: Int) async throws {
        #expect(try await post(body) == status)
    }

    @Test("What one software takes, another does not")
    func owners() async throws {
        let body = #"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": "a", "timings_per_token": true}"#
        #expect(try await post(body, owner: "llamacpp") == 200)
        #expect(try await post(body, owner: "vllm") == 400)
        #expect(try await post(body, owner: "me") == 400)
    }
}

@Suite("HTTP requests", .timeLimit(.minutes(1)))
struct HTTPClientTests {
    private func withClient(_ body: (HTTPClient) async throws -> Void) async throws {
        let client = HTTPClient()
        client.start()
        do {
            try await body(client)
        } catch {
            await client.stop()
            throw error
        }
        await client.stop()
    }

    private func failure(_ client: HTTPClient, _ request: HTTPRequest) async -> TransferFailure.Kind? {
        do throws(TransferFailure) {
            _ = try await client.fetch(request)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test("Failures say what kind they are")
    func failures() async throws {
        let server = try await StandInServer.start { _, answer in
            try await answer.begin()
            try await answer.send("a")
            try await answer.cut()
        }
        try await withClient { client in
            var cut = HTTPRequest(server.url + "/v1/completions")
            cut.body = Array(#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": "a"}"#.utf8)
            #expect(await failure(client, cut) == .cut)
            server.react { try await $1.hang() }
            cut.timeout = .milliseconds(50)
            #expect(await failure(client, cut) == .timedOut)
            await server.stop()
            cut.timeout = .seconds(60)
            #expect(await failure(client, cut) == .unreachable)
            #expect(await failure(client, HTTPRequest("http://no such host/")) == .failed)
        }
    }

    @Test("A small answer is read whole, one beyond the limit is not")
    func limit() async throws {
        let server = try await StandInServer.start()
        try await withClient { client in
            let answer = try await client.fetch(HTTPRequest(server.url + "/v1/models"))
            #expect(answer.status == 200 && String(decoding: answer.body, as: UTF8.self).contains("stand-in"))
            await #expect(throws: TransferFailure.self) {
                _ = try await client.fetch(HTTPRequest(server.url + "/v1/models"), maximumBytes: 10)
            }
        }
        await server.stop()
    }

    @Test("Stopping beside a cancellation ends at once as well")
    func stoppingBesideCancellation() async throws {
        let server = try await StandInServer.start { try await $1.hang() }
        for round in 1...50 {
            let client = HTTPClient()
            client.start()
            var request = HTTPRequest(server.url + "/v1/completions")
            request.body = Array(#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": "a"}"#.utf8)
            let fetching = Task { [request] in await failure(client, request) }
            if round.isMultiple(of: 2) { try await server.wait { asked, _ in asked.count >= round / 2 } }
            fetching.cancel()
            await client.stop()
            #expect(await fetching.value == .cancelled)
        }
        await server.stop()
    }

    @Test("Stopping ends what is under way, and what is sent afterwards ends at once")
    func stopping() async throws {
        let server = try await StandInServer.start { try await $1.hang() }
        let client = HTTPClient()
        client.start()
        var request = HTTPRequest(server.url + "/v1/completions")
        request.body = Array(#"{"model": "stand-in", "stream": true, "max_tokens": 3, "prompt": "a"}"#.utf8)
        async let underWay = failure(client, request)
        try await server.wait { asked, _ in asked.count == 1 }
        await client.stop()
        #expect(await underWay == .cancelled)
        #expect(await failure(client, request) == .cancelled)
        await server.stop()
    }
}
