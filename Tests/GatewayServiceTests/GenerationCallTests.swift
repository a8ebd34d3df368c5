internal import AladdinClient
internal import Hummingbird
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("Reading a completion request")
struct GenerationCallTests {
    /// A body that must be refused: which field is named, and a word of the message.
    struct Refused: Sendable, CustomTestStringConvertible {
        var body: String
        var param: String?
        var message: String

        init(_ body: String, _ param: String?, _ message: String) {
            self.body = body
            self.param = param
            self.message = message
        }

        /// A chat with one more field.
        static func field(_ field: String, _ message: String, _ value: String) -> Refused {
            Refused(#"{"messages":[{"role":"user","content":"x"}],"\#(field)":\#(value)}"#, field, message)
        }

        var testDescription: String { body }
    }

    private func call(_ kind: CompletionKind, _ body: String) throws(APIError) -> GenerationCall {
        let configuration = GatewayConfiguration()
        return try GenerationCall(kind, body: Array(body.utf8), headers: [:], configuration: configuration)
    }

    private func expectRefusal(_ kind: CompletionKind, _ refused: Refused) {
        let error = #expect(throws: APIError.self) { try call(kind, refused.body) }
        #expect(error?.status == 400)
        #expect(error?.type == "invalid_request_error")
        #expect(error?.param == refused.param)
        #expect(error?.message.contains(refused.message) == true, "\(error?.message ?? "")")
    }

    @Test(
        "A body that can't be read is refused with the place of the fault",
        arguments: [
            Refused("", nil, "no body"),
            Refused("nonsense", nil, "not valid JSON"),
            Refused(#"{"messages": [}"#, nil, "line 1, column 15"),
            Refused("{\n\"a\": 1,\n\"temperature\": NaN}", nil, "line 3, column 16"),
            Refused("\u{FF}\u{0}", nil, "not valid JSON"),
            Refused("[1]", nil, "must be a JSON object"),
            Refused("\"text\"", nil, "must be a JSON object"),
            Refused(String(repeating: "[", count: 5000), nil, "not valid JSON"),
        ]
    )
    func unreadable(refused: Refused) {
        expectRefusal(.chat, refused)
    }

    @Test(
        "A wrong conversation is refused with the place of the fault",
        arguments: [
            Refused("{}", "messages", "missing"),
            Refused(#"{"messages":null}"#, "messages", "missing"),
            Refused(#"{"messages":[]}"#, "messages", "empty"),
            Refused(#"{"messages":"x"}"#, "messages", "array"),
            Refused(#"{"messages":["x"]}"#, "messages[0]", "object"),
            Refused(#"{"messages":[{"content":"x"}]}"#, "messages[0].role", "string"),
            Refused(#"{"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].role", "'tool'"),
            Refused(#"{"messages":[{"role":"user"}]}"#, "messages[0].content", "string or an array"),
            Refused(#"{"messages":[{"role":"user","content":7}]}"#, "messages[0].content", "string or an array"),
            Refused(#"{"messages":[{"role":"user","content":[]}]}"#, "messages[0].content", "string or an array"),
            Refused(
                #"{"messages":[{"role":"user","content":"x"},{"role":"user","content":[{"type":"image_url"}]}]}"#,
                "messages[1].content[0].type",
                "image_url"
            ),
            Refused(
                #"{"messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
                "messages[0].content[0].text",
                "string"
            ),
            Refused(
                #"{"messages":[{"role":"assistant","content":"x","tool_calls":[{}]}]}"#,
                "messages[0].tool_calls",
                "tools"
            ),
        ]
    )
    func conversation(refused: Refused) {
        expectRefusal(.chat, refused)
    }

    @Test(
        "A wrong prompt is refused",
        arguments: [
            Refused("{}", "prompt", "missing"), Refused(#"{"prompt":""}"#, "prompt", "empty"),
            Refused(#"{"prompt":[]}"#, "prompt", "empty"), Refused(#"{"prompt":["a","b"]}"#, "prompt", "one prompt"),
            Refused(#"{"prompt":[[1],[2]]}"#, "prompt", "one prompt"),
            Refused(#"{"prompt":[1,-2]}"#, "prompt", "negative"),
            Refused(#"{"prompt":[1,"a"]}"#, "prompt", "must be a string"),
            Refused(#"{"prompt":[1.5]}"#, "prompt", "must be a string"),
            Refused(#"{"prompt":[3000000000]}"#, "prompt", "must be a string"),
            Refused(#"{"prompt":{"a":1}}"#, "prompt", "must be a string"),
        ]
    )
    func prompt(refused: Refused) {
        expectRefusal(.text, refused)
    }

    @Test(
        "A field of the wrong type or out of its range is refused by name",
        arguments: [
            .field("model", "string", "1"), .field("max_tokens", "at least 1", "0"),
            .field("max_tokens", "at least 1", "-3"), .field("max_tokens", "32 bits", "3000000000"),
            .field("max_tokens", "whole number", "1.5"), .field("max_tokens", "whole number", "\"5\""),
            .field("max_tokens", "whole number", "true"), .field("max_completion_tokens", "whole number", "[1]"),
            .field("temperature", "number", "\"hot\""), .field("temperature", "from 0 to 2", "-0.1"),
            .field("temperature", "from 0 to 2", "2.1"), .field("temperature", "number", "1e999"),
            .field("temperature", "number", "true"), .field("top_p", "above 0", "0"),
            .field("top_p", "at most 1", "1.01"), .field("top_p", "number", "{}"),
            .field("top_k", "0 or more", "-2"),
            .field("top_k", "whole number", "0.5"), .field("seed", "64 bits", "\"x\""),
            .field("seed", "64 bits", "20000000000000000000"), .field("seed", "64 bits", "1.5"),
            .field("stop", "string", "1"), .field("stop", "string", "[1]"),
            .field("stop", "none of them empty", "\"\""),
            .field("stop", "at most 4", #"["a","b","c","d","e"]"#), .field("stream", "true or false", "1"),
            .field("stream", "true or false", "\"true\""),
            .field("stream_options", "needs 'stream'", #"{"include_usage":true}"#),
            .field("stream_options", "include_usage", #"{"include_usage":1}"#),
            .field("stream_options", "object", "5"),
        ] as [Refused]
    )
    func field(refused: Refused) {
        expectRefusal(.chat, refused)
    }

    @Test(
        "What can't be honoured is refused rather than left out",
        arguments: [
            .field("n", "must be 1", "2"), .field("n", "whole number", "\"1\""), .field("best_of", "must be 1", "3"),
            .field("presence_penalty", "must be 0", "0.5"), .field("frequency_penalty", "number", "\"x\""),
            .field("tools", "not supported", "[{}]"), .field("tools", "array", "3"),
            .field("functions", "not supported", "[{}]"), .field("logit_bias", "not supported", #"{"5":1}"#),
            .field("echo", "not supported", "true"), .field("suffix", "not supported", "\"x\""),
            .field("logprobs", "not supported", "true"), .field("logprobs", "not supported", "0"),
            .field("logprobs", "true, false or", "\"x\""), .field("top_logprobs", "not supported", "2"),
            .field("modalities", "only be", #"["text","audio"]"#),
            .field("response_format", "json_object", #"{"type":"json_object"}"#),
            .field("response_format", "object with a type", "\"json\""),
        ] as [Refused]
    )
    func unsupported(refused: Refused) {
        expectRefusal(.chat, refused)
    }

    @Test("Neutral values of what is not supported are fine, as are fields that nobody knows")
    func neutral() throws {
        let call = try call(
            .chat,
            #"""
            {"messages":[{"role":"user","content":"x","name":"me"}],"n":1,"best_of":1,"presence_penalty":0,"tools":[],
             "frequency_penalty":0.0,"logit_bias":{},"echo":false,"suffix":"","logprobs":false,"top_logprobs":0,
             "modalities":["text"],"response_format":{"type":"text"},"stop":null,"seed":null,"max_tokens":null,
             "user":"u","store":true,"service_tier":"auto","unheard_of":[{"x":null}]}
            """#
        )
        let input = PromptInput.chat([ChatMessage(role: "user", content: "x")])
        #expect(call.query == QueryRequest(input: input, maxTokens: 256, sampling: Sampling(temperature: 1)))
        #expect(!call.isStreaming && !call.includesUsage)
    }

    @Test("A whole request is read")
    func whole() throws {
        let call = try call(
            .chat,
            #"""
            {"model":"m","messages":[{"role":"developer","content":"a"},{"role":"user","content":[
             {"type":"text","text":"b"},{"type":"text","text":"c"}]},{"role":"assistant","content":"d"}],
             "max_tokens":3,"max_completion_tokens":9,"temperature":0,"top_p":0.5,"top_k":-1,
             "seed":18446744073709551615,"stop":"end","stream":true,"stream_options":{"include_usage":true}}
            """#
        )
        let messages = [("system", "a"), ("user", "bc"), ("assistant", "d")].map { ChatMessage(role: $0, content: $1) }
        let sampling = Sampling(temperature: 0, topP: 0.5, topK: 0, seed: .max, stop: ["end"])
        #expect(call.query == QueryRequest(model: "m", input: .chat(messages), maxTokens: 9, sampling: sampling))
        #expect(call.isStreaming && call.includesUsage)
    }

    @Test(
        "A prompt may be a text or tokens, alone or in an array",
        arguments: [
            (#""a""#, .text("a")), (#"["a"]"#, .text("a")), ("[1,2]", .tokens([1, 2])), ("[[1,2]]", .tokens([1, 2])),
        ] as [(String, PromptInput)]
    )
    func prompts(json: String, input: PromptInput) throws {
        #expect(try call(.text, #"{"prompt":\#(json)}"#).query.input == input)
    }
}
