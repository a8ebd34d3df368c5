import EngineInterface
import ServingModel
import Testing

@testable import UpstreamEngine

@Suite("Reading an answer")
struct AnswerReaderTests {
    private struct Read {
        var text = ""
        var tokens = 0
        var end: StreamedEnd?
        var failure: Status?
    }

    private func read(_ body: String, status: Int = 200, maxTokens: Int = 50, interruption: String? = nil) -> Read {
        var reader = AnswerReader(maxTokens: maxTokens)
        reader.begin(status: status, retryAfter: .seconds(3))
        var result = Read()
        for tokens in reader.take(Array(body.utf8)) {
            result.text += tokens.text
            result.tokens += tokens.count
        }
        do throws(Status) {
            let (last, end) = try reader.end(interruption)
            result.text += last?.text ?? ""
            result.tokens += last?.count ?? 0
            result.end = end
        } catch {
            result.failure = error
        }
        return result
    }

    private func events(_ data: String...) -> String { data.map { "data: \($0)\n\n" }.joined() }

    @Test("A chat of vLLM, counted along")
    func vllm() {
        let result = read(
            events(
                #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":0}}"#,
                #"{"choices":[{"index":0,"delta":{"content":"Once"},"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#,
                #"{"choices":[{"index":0,"delta":{"content":" upon a"},"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":3}}"#,
                #"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop","stop_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":4}}"#,
                #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}}}"#,
                "[DONE]"
            )
        )
        #expect(result.text == "Once upon a")
        #expect(result.tokens == 4)
        #expect(result.end == StreamedEnd(finish: .stop, prompt: PromptCount(tokens: 9, cached: 8)))
    }

    @Test("Counts that no prompt has are taken for the most that one may have")
    func impossibleCounts() {
        let most = TokenBounds.mostOfPrompt
        for (counts, prompt) in [
            (#""usage":{"prompt_tokens":4000000000,"completion_tokens":1}"#, PromptCount(tokens: most, cached: 0)),
            (
                #""usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":-9000000000000000000}}"#,
                PromptCount(tokens: 9, cached: 0)
            ),
            (
                #""usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":10}}"#,
                PromptCount(tokens: 9, cached: 9)
            ),
            (
                #""timings":{"prompt_n":9000000000000000000,"cache_n":9000000000000000000,"predicted_n":1}"#,
                PromptCount(tokens: most, cached: most)
            ),
        ] {
            let result = read(events(#"{"choices":[{"text":"h","index":0,"finish_reason":"stop"}],\#(counts)}"#))
            #expect(result.end?.prompt == prompt)
        }
    }

    @Test("Text beyond the tokens that were asked for is not gathered without end")
    func endlessText() {
        var reader = AnswerReader(maxTokens: 2)
        reader.begin(status: 200, retryAfter: nil)
        let piece = String(repeating: "x", count: 64 << 10)
        let event = Array(events(#"{"choices":[{"text":"\#(piece)","index":0,"finish_reason":null}]}"#).utf8)
        var taken = 0
        while !reader.hasFailed, taken < 100 {
            _ = reader.take(event)
            taken += 1
        }
        #expect((64...66).contains(taken))
        let failure = #expect(throws: Status.self) { try reader.end(nil) }
        #expect(failure?.code == .unavailable && failure?.reason == .engineFailed)
    }

    @Test("A completion of llama.cpp, with timings")
    func llamaCpp() {
        let result = read(
            events(
                #"{"choices":[{"text":"h","index":0,"finish_reason":null}],"timings":{"cache_n":3,"prompt_n":2,"predicted_n":1}}"#,
                #"{"choices":[{"text":"","index":0,"finish_reason":null}],"timings":{"cache_n":3,"prompt_n":2,"predicted_n":2}}"#,
                #"{"choices":[{"text":"","index":0,"finish_reason":"length"}],"usage":{"completion_tokens":2,"prompt_tokens":5}}"#,
                "[DONE]"
            ),
            maxTokens: 2
        )
        #expect(result.text == "h")
        #expect(result.tokens == 2)
        #expect(result.end?.finish == .length)
        #expect(result.end?.prompt?.tokens == 5)
    }

    @Test("What a reasoning model thinks is counted and not passed on")
    func reasoning() {
        let result = read(
            events(
                #"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
                #"{"choices":[{"delta":{"reasoning":"so"}}]}"#,
                #"{"choices":[{"delta":{"content":"yes"},"finish_reason":"stop"}]}"#,
                "[DONE]"
            )
        )
        #expect(result.text == "yes" && result.tokens == 3)
    }

    @Test("An answer with a reason for its end is whole without usage and without DONE, even if the connection was cut")
    func noUsage() {
        let body = events(
            #"{"choices":[{"text":"a","finish_reason":null}]}"#,
            #"{"choices":[{"text":"","finish_reason":"eos_token"}]}"#
        )
        #expect(read(body).end?.finish == .stop)
        #expect(read(body, interruption: "cut").tokens == 1)
    }

    @Test(
        "What is not a whole answer is tried elsewhere",
        arguments: [
            "", "data: [DONE]\n\n", "data: {\"choices\":[{\"text\":\"a\"}]}\n\n", "data: {\"choices\": 7}\n\n",
            "data: nonsense\n\n",
            "<html>hello</html>", "data: {\"choices\":[{\"text\":\"a\",\"finish_reason\":\"abort\"}]}\n\n",
            "data: {\"error\": {\"message\": \"CUDA error\", \"code\": 500}}\n\n",
            "data: {\"error\": \"out of luck\"}\n\n",
            "data: \u{0}\u{1}\n\n",
        ]
    )
    func broken(body: String) {
        let result = read(body)
        #expect(result.failure?.code == .unavailable && result.failure?.reason == .engineFailed)
        #expect(result.end == nil)
    }

    @Test(
        "Statuses say whether the query, the server's load or the server is at fault",
        arguments: [
            (
                400, #"{"error":{"message":"bad secret-prompt","type":"invalid_request_error"}}"#,
                StatusCode.invalidArgument, Reason.malformed
            ),
            (
                400, #"{"error":{"code":400,"message":"x","type":"exceed_context_size_error"}}"#, .outOfRange,
                .promptTooLong
            ),
            (
                400, #"{"object":"error","message":"This model's maximum context length is 10 tokens","code":400}"#,
                .outOfRange, .promptTooLong
            ),
            (
                422,
                #"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 20","error_type":"validation"}"#,
                .outOfRange, .promptTooLong
            ),
            (413, "", .outOfRange, .promptTooLong), (422, "[]", .invalidArgument, .malformed),
            (429, "", .resourceExhausted, .overloaded), (503, "busy", .resourceExhausted, .overloaded),
            (401, "", .unavailable, .engineFailed), (404, "", .unavailable, .engineFailed),
            (500, "secret-prompt", .unavailable, .engineFailed), (302, "", .unavailable, .engineFailed),
        ]
    )
    func statuses(status: Int, body: String, code: StatusCode, reason: Reason) {
        let failure = read(body, status: status).failure
        #expect(failure?.code == code && failure?.reason == reason)
        #expect(failure?.message.contains("secret-prompt") == false)
        if code == .resourceExhausted { #expect(failure?.retryAfter == .seconds(3)) }
    }

    @Test("An error in the middle of a stream means what its code says")
    func errorEvent() {
        let result = read(events(#"{"choices":[{"text":"a"}]}"#, #"{"error":{"message":"no","code":400}}"#, "[DONE]"))
        #expect(result.failure?.code == .invalidArgument)
    }

    @Test("Mutated answers never break a promise")
    func mutations() {
        let body = Array(
            events(
                #"{"choices":[{"delta":{"content":"ab"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
                #"{"choices":[{"delta":{"content":"cd"},"finish_reason":"stop"}],"timings":{"prompt_n":3,"predicted_n":9}}"#,
                "[DONE]"
            ).utf8
        )
        var random = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            var bytes = body
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                bytes[position] = Array("0987654321\"{}[]:,nae\n\u{7F}".utf8).randomElement(using: &random) ?? 0
            }
            var reader = AnswerReader(maxTokens: 4)
            reader.begin(status: 200, retryAfter: nil)
            var count = reader.take(bytes).reduce(0) { $0 + $1.count }
            if let (last, end) = try? reader.end(nil) {
                count += last?.count ?? 0
                #expect((end.prompt?.tokens ?? 1) > 0)
            }
            #expect(count <= 4)
        }
    }
}
