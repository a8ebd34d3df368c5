import EngineInterface
import Foundation
import Logging
import ServingModel
import StandInServer
import Synchronization
import Testing
import UpstreamEngine

@Suite("The upstream engine and a server", .timeLimit(.minutes(1)))
struct UpstreamEngineTests {
    /// An engine that watches its server for the time of `body`.
    private func withEngine(
        _ server: StandInServer,
        apiKey: String? = nil,
        patience: Interval = .seconds(30),
        _ body: (UpstreamEngine, inout AsyncStream<EngineCondition>.Iterator) async throws -> Void
    ) async throws {
        var configuration = try #require(UpstreamConfiguration(url: server.url))
        configuration.pollInterval = .milliseconds(20)
        configuration.apiKey = apiKey
        configuration.patience = patience
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = UpstreamEngine(configuration: configuration, logger: logger)
        let (conditions, sink) = AsyncStream.makeStream(of: EngineCondition.self)
        let watching = Task { await engine.watch { sink.yield($0) } }
        var iterator = conditions.makeAsyncIterator()
        do {
            try await body(engine, &iterator)
        } catch {
            Issue.record(error)
        }
        watching.cancel()
        await watching.value
        await server.stop()
    }

    private func ready(_ conditions: inout AsyncStream<EngineCondition>.Iterator) async throws -> EngineDescription {
        while let condition = await conditions.next() {
            if case .ready(let description) = condition { return description }
        }
        throw Status(.unknown)
    }

    private func request(
        _ input: PromptInput = .text("Once upon a time"),
        maxTokens: Int = 50,
        sampling: Sampling = Sampling()
    )
        -> SequenceRequest
    {
        SequenceRequest(
            id: SequenceID(rawValue: 1),
            input: input,
            sampling: sampling,
            defaultSeed: 1,
            maxTokens: maxTokens
        )
    }

    private struct Answer {
        var text = ""
        var tokens = 0
        var end: StreamedEnd?
        var failure: Status?
    }

    private func answer(_ engine: UpstreamEngine, _ request: SequenceRequest) async -> Answer {
        let heard = Mutex(Answer())
        do throws(Status) {
            let end = try await engine.answer(request) { tokens in
                heard.withLock {
                    $0.text += tokens.text
                    $0.tokens += tokens.count
                }
            }
            heard.withLock { $0.end = end }
        } catch {
            heard.withLock { $0.failure = error }
        }
        return heard.withLock { $0 }
    }

    @Test(
        "Text, chat and tokens are answered whole by every kind of server",
        arguments: ["vllm", "llamacpp", "sglang", "me"]
    )
    func answers(owner: String) async throws {
        var model = StandInModel()
        model.owner = owner
        try await withEngine(try await .start(model)) { engine, conditions in
            let description = try await ready(&conditions)
            #expect(description.model == "stand-in")
            let inputs: [PromptInput] = [
                .text("Once upon a time"), .tokens([1, 2, 3]), .chat([ChatMessage(role: "user", content: "Hi")]),
            ]
            for input in inputs {
                let whole = await answer(engine, request(input))
                #expect(whole.failure == nil && whole.tokens == 12 && whole.end?.finish == .stop)
                #expect(whole.text.split(separator: " ").count == 12)
                #expect(whole.end?.prompt != nil)
                let short = await answer(engine, request(input, maxTokens: 5))
                #expect(short.tokens == 5 && short.end?.finish == .length)
                #expect(whole.text.hasPrefix(short.text))
            }
        }
    }

    @Test("Sampling is passed on, and what is not said is said nevertheless where servers have defaults of their own")
    func sampling() async throws {
        let server = try await StandInServer.start()
        try await withEngine(server) { engine, conditions in
            _ = try await ready(&conditions)
            let sampling = Sampling(temperature: 0.5, topP: 0.9, topK: 40, seed: .max, stop: ["END"])
            _ = await answer(engine, request(sampling: sampling))
            _ = await answer(engine, request())
            let asked = server.completions.map(\.json)
            #expect(asked[0]["temperature"] as? Double == 0.5 && asked[0]["top_p"] as? Double == 0.9)
            #expect(asked[0]["top_k"] as? Int == 40 && asked[0]["stop"] as? [String] == ["END"])
            #expect(asked[0]["seed"] as? Int == .max)
            #expect(asked[1]["temperature"] as? Double == 0 && asked[1]["top_k"] as? Int == -1)
            #expect(asked[1]["seed"] == nil && asked[1]["stop"] == nil)
        }
    }

    @Test("A long prompt arrives whole, also when a connection has died and it has to be sent anew")
    func longPrompt() async throws {
        var model = StandInModel()
        model.contextLength = 1_000_000
        let asked = Mutex(0)
        let server = try await StandInServer.start(model) { request, answer in
            let count = asked.withLock { count in
                count += 1
                return count
            }
            // The second comes over the connection of the first.
            if count == 2 { try await answer.cut() } else { try await answer.complete(request) }
        }
        try await withEngine(server) { engine, conditions in
            _ = try await ready(&conditions)
            let prompt = String(repeating: "a \"long\" prompt\n", count: 40_000)
            #expect(await answer(engine, request()).tokens == 12)
            #expect(await answer(engine, request(.text(prompt))).tokens == 12)
            let prompts = server.completions.map { $0.json["prompt"] as? String }
            #expect(prompts == ["Once upon a time", prompt, prompt])
        }
    }

    @Test("Its key opens the server; without it the engine never is ready")
    func key() async throws {
        var model = StandInModel()
        model.apiKey = "sesame"
        try await withEngine(try await .start(model), apiKey: "sesame") { engine, conditions in
            _ = try await ready(&conditions)
            #expect(await answer(engine, request()).tokens == 12)
        }
        try await withEngine(try await .start(model)) { engine, _ in
            #expect(await answer(engine, request()).failure?.code == .unavailable)
        }
    }

    @Test("Cancelling closes the connection, and the server hears of it")
    func cancellation() async throws {
        let server = try await StandInServer.start { request, answer in
            try await answer.begin()
            try await answer.event(request, "a")
            try await answer.hang()
        }
        try await withEngine(server) { engine, conditions in
            _ = try await ready(&conditions)
            let (pieces, sink) = AsyncStream.makeStream(of: StreamedTokens.self)
            let task = Task {
                defer { sink.finish() }
                return try await engine.answer(request()) { sink.yield($0) }
            }
            let first = await pieces.first { _ in true }
            try #require(first?.text == "a")
            task.cancel()
            try await server.wait { $1 == 1 }
            await #expect(throws: Status.self) { try await task.value }
        }
    }

    @Test("Broken answers of a server that lives fail alone and are tried elsewhere")
    func faults() async throws {
        let server = try await StandInServer.start()
        let faults: [StandInServer.Script] = [
            { try await $1.cut() },
            { request, answer in
                try await answer.begin()
                try await answer.event(request, "a")
                try await answer.cut()
            },
            { request, answer in
                try await answer.begin()
                try await answer.send("data: {\"choices\"\n\n")
                try await answer.hang()
            },
            { try await $1.refuse(500) },
            { request, answer in
                try await answer.begin()
                try await answer.end()
            },
        ]
        try await withEngine(server) { engine, conditions in
            _ = try await ready(&conditions)
            for fault in faults {
                server.react(fault)
                let failure = await answer(engine, request()).failure
                #expect(failure?.code == .unavailable && failure?.reason == .engineFailed)
            }
            server.react { try await $1.complete($0) }
            #expect(await answer(engine, request()).tokens == 12)
        }
    }

    @Test("A server that hangs is given up after its patience")
    func hanging() async throws {
        let server = try await StandInServer.start { try await $1.hang() }
        try await withEngine(server, patience: .seconds(1)) { engine, conditions in
            _ = try await ready(&conditions)
            #expect(await answer(engine, request()).failure?.code == .unavailable)
            try await server.wait { asked, _ in asked.count == 1 }
        }
    }

    @Test("A server that is full says when to come again")
    func full() async throws {
        let server = try await StandInServer.start { try await $1.refuse(429, headers: [("retry-after", "7")]) }
        try await withEngine(server) { engine, conditions in
            _ = try await ready(&conditions)
            let failure = await answer(engine, request()).failure
            #expect(failure?.code == .resourceExhausted && failure?.retryAfter == .seconds(7))
        }
    }

    @Test("That the server is gone is told; when another is in its place, that is found")
    func death() async throws {
        let server = try await StandInServer.start { request, answer in
            try await answer.begin()
            try await answer.event(request, "a")
            try await answer.hang()
        }
        try await withEngine(server) { engine, conditions in
            _ = try await ready(&conditions)
            let task = Task { await answer(engine, request()) }
            try await server.wait { asked, _ in asked.count == 1 }
            await server.stop()
            var isGone = false
            while !isGone, let condition = await conditions.next() {
                if case .unavailable(let status) = condition {
                    #expect(!status.message.isEmpty)
                    isGone = true
                }
            }
            #expect(await task.value.failure?.code == .unavailable)
            #expect(await answer(engine, request()).failure?.code == .unavailable)
            var model = StandInModel()
            model.name = "another"
            let next = try await StandInServer.start(model, inPlaceOf: server)
            #expect(try await ready(&conditions).model == "another")
            #expect(await answer(engine, request()).tokens == 12)
            await next.stop()
        }
    }
}
