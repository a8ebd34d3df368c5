import EngineInterface
import PluginEngine
import ServingModel
import Testing

@Suite("An engine behind the C interface")
struct PluginEngineTests {
    @Test("It is told what the worker was started with, and describes itself with the interface's defaults")
    func opens() throws {
        var configuration = PluginEngineConfiguration()
        configuration.modelDirectory = "/models/m"
        configuration.modelName = "mine"
        configuration.kvCapacityTokens = 512
        configuration.options = [.init(key: "a", value: "b=c"), .init(key: "d", value: "")]
        let description = try PluginEngine(path: Plugins.broken(), configuration: configuration).description
        #expect(description.profile.device == "/models/m|mine|512|2")
        #expect(description.model == "broken" && description.kind == "plugin" && !description.resumesPrefix)
        #expect(description.profile.kvCache.blockTokens == 16 && description.profile.limits.maximumSequences == 8)
        #expect(description.profile.limits.chunkTokens == 512 && description.profile.decode.c3Milliseconds == 0.5)
    }

    @Test("The example counts on from the length of its prompt, in batches, whatever the input's kind")
    func example() throws {
        let engine = try PluginEngine(path: Plugins.counter())
        #expect(engine.description.resumesPrefix)
        #expect(try engine.admit(1, .text("four"), maxTokens: 3) == 4)
        #expect(try engine.admit(2, .chat([ChatMessage(role: "user", content: "sevenly")])) == 7)
        #expect(try engine.admit(3, .tokens([5, 6])) == 2)
        // A worker elsewhere had said 9 and 10 already.
        #expect(try engine.admit(4, .text("nine bytes"), resumed: [10, 11]) == 10)
        #expect(try engine.step(prompts: [1, 2]).map(\.text) == ["4", "7"])
        let outputs = try engine.step(decodes: [2, 1], prompts: [3, 4])
        #expect(outputs.map(\.sequence.rawValue) == [2, 1, 3, 4])
        #expect(outputs.map(\.text) == [" 8", " 5", "2", " 12"])
        #expect(outputs.map(\.token) == [8, 5, 2, 12])
        engine.release(SequenceID(rawValue: 2))
        #expect(try engine.step(decodes: [1]).map(\.finish) == [.length])
        #expect(throws: Status(.invalidArgument, .malformed, "the prompt has 0 bytes; 1 to 512 can be counted")) {
            try engine.admit(5, .text(""))
        }
        let long = #expect(throws: Status.self) { try engine.admit(6, .text(String(repeating: "x", count: 600))) }
        #expect(try #require(long).reason == .promptTooLong)
    }

    @Test("What a request got wrong is the client's to hear; a code that does not exist is the engine's fault")
    func refusals() throws {
        let refusal = #expect(throws: Status.self) { try Plugins.engine(fault: "refuse").admit(1, .text("hi")) }
        #expect(refusal == Status(.invalidArgument, .malformed, "not this one"))
        let strange = #expect(throws: Status.self) { try Plugins.engine(fault: "strange-code").admit(1, .text("hi")) }
        #expect(try #require(strange).message.contains("admit returned 17, which is no code of the interface"))
        #expect(try #require(strange).reason == .engineFailed)
        let negative = #expect(throws: Status.self) {
            try Plugins.engine(fault: "negative-prompt").admit(1, .text("hi"))
        }
        #expect(try #require(negative).message == "the plug-in counts -3 tokens in a prompt; expected 1 to 4096")
    }

    @Test(
        "Outputs that do not fit what was asked fail the step in words, and the next step goes on",
        arguments: [
            ("unknown-sequence", "answered for sequence 4711, which gets no token from this step"),
            ("twice", "answered twice for sequence 1"),
            ("too-few", "made 1 outputs where 2 were asked for"),
            ("negative-count", "made -1 outputs where 2 were asked for"),
            ("negative-token", "made token -5 for sequence 1, which is in no vocabulary"),
            ("bad-text", "gave sequence 1 a text that is not UTF-8, or ends within a character"),
            ("no-text", "gave sequence 1 a text of 12 bytes that is not there"),
            ("strange-end", "ended sequence 1 by 9, which is no way to end"),
            ("step", "the fan is off"),
        ]
    )
    func outputs(fault: String, words: String) throws {
        let engine = try Plugins.engine(fault: fault, after: 1)
        try engine.admit(1, .text("one"))
        try engine.admit(2, .text("two"))
        if fault != "step" { #expect(try engine.step(prompts: [1, 2]).map(\.text) == ["x", "x"]) }
        let status = #expect(throws: Status.self) { try engine.step(decodes: [1, 2]) }
        #expect(try #require(status).code == .internalError && status?.reason == .engineFailed)
        #expect(try #require(status).message.contains(words), "\(status?.message ?? "")")
        engine.release(SequenceID(rawValue: 1))
        engine.release(SequenceID(rawValue: 2))
    }

    @Test("For a plug-in that knows tokens only, the worker makes the tokens, the text and the end")
    func text() throws {
        let engine = try Plugins.engine(fault: "text-by-worker", model: Plugins.modelDirectory)
        let count = try engine.admit(1, .text("Once upon a time"), maxTokens: 2)
        #expect(count > 1 && count < 16)
        let first = try engine.step(prompts: [1], tokens: count)
        let second = try engine.step(decodes: [1])
        // The plug-in's own text is x, and it never ends; token 7 has a text of its own.
        #expect(first.map(\.token) == [7] && first[0].text != "x" && first[0].finish == nil)
        #expect(second.map(\.finish) == [.length])
        let tooMany = #expect(throws: Status.self) { try engine.admit(2, .tokens([1, 99_999])) }
        #expect(try #require(tooMany).code == .invalidArgument)
        let finished = #expect(throws: Status.self) {
            try engine.admit(3, .text("Once"), maxTokens: 2, resumed: [7, 7])
        }
        #expect(try #require(finished).message == "the resumed output is a finished answer")
    }
}
