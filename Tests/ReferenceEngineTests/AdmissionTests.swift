import EngineInterface
import ServingModel
import Testing

@testable import ReferenceEngine

@Suite("Admission and steps")
struct AdmissionTests {
    private func refusal(_ request: (EngineDriver) -> SequenceRequest) throws -> Status? {
        let driver = EngineDriver(engine: try ModelFixture.engine())
        do throws(Status) {
            _ = try driver.engine.admit(request(driver))
            return nil
        } catch {
            return error
        }
    }

    @Test("empty prompts of every kind are refused")
    func emptyPrompts() throws {
        for input in [PromptInput.text(""), .chat([]), .tokens([])] {
            let status = try refusal { $0.request(1, input) }
            #expect(status?.code == .invalidArgument)
            #expect(status?.reason == .emptyPrompt)
        }
    }

    @Test("a prompt must leave room for a token, and max_tokens must fit after it")
    func contextLimits() throws {
        // The fixture's context is 512.
        let full = [Int32](repeating: 1, count: 512)
        #expect(try refusal { $0.request(1, .tokens(full)) }?.reason == .promptTooLong)
        let last = [Int32](repeating: 1, count: 511)
        #expect(try refusal { $0.request(1, .tokens(last), maxTokens: 1) } == nil)
        let status = try refusal { $0.request(1, .tokens(last), maxTokens: 2) }
        #expect(status?.reason == .maxTokensOutOfRange)
        #expect(status?.message.contains("511") ?? false)
        #expect(try refusal { $0.request(1, maxTokens: 0) }?.reason == .maxTokensOutOfRange)
    }

    @Test("tokens outside the vocabulary, unknown roles and bad sampling are refused")
    func malformed() throws {
        #expect(try refusal { $0.request(1, .tokens([1, 272])) }?.reason == .malformed)
        #expect(try refusal { $0.request(1, .tokens([-1])) }?.reason == .malformed)
        #expect(try refusal { $0.request(resumed: [4000]) }?.reason == .malformed)
        let message = ChatMessage(role: "user<|im_end|>", content: "hi")
        #expect(try refusal { $0.request(1, .chat([message])) }?.reason == .malformed)
        let samplings = [
            Sampling(temperature: -1), Sampling(temperature: .nan), Sampling(topP: 0), Sampling(topP: 1.5),
            Sampling(topK: -1), Sampling(stop: [""]),
        ]
        for sampling in samplings {
            #expect(try refusal { $0.request(sampling: sampling) }?.reason == .invalidSampling)
        }
    }

    @Test("steps that do not fit a sequence's state are refused, not computed")
    func misuse() throws {
        let driver = EngineDriver(engine: try ModelFixture.engine())
        #expect(throws: Status.self) { try driver.step(decodes: [1]) }
        #expect(try driver.engine.admit(driver.request()) == 5)
        #expect(throws: Status.self) { try driver.engine.admit(driver.request()) }
        #expect(throws: Status.self) { try driver.step(decodes: [1]) }
        #expect(throws: Status.self) { try driver.step(chunks: [driver.chunk(1, 1..<5)]) }
        #expect(throws: Status.self) { try driver.step(chunks: [driver.chunk(1, 0..<6)]) }
        #expect(throws: Status.self) { try driver.step(chunks: [driver.chunk(1, 0..<4, completes: true)]) }
        #expect(throws: Status.self) { try driver.step(preempted: [7]) }
        #expect(try driver.step(chunks: [driver.chunk(1, 0..<5)]).count == 1)
    }

    @Test("running out of KV blocks is said as such, and released blocks serve again")
    func outOfMemory() throws {
        var configuration = ModelFixture.configuration
        configuration.kvCapacityTokens = 32
        let driver = EngineDriver(engine: try ModelFixture.engine(configuration: configuration))
        #expect(driver.engine.description.contextLength == 32)
        _ = try driver.engine.admit(driver.request(1, .tokens(Array(0..<20)), maxTokens: 4))
        _ = try driver.engine.admit(driver.request(2, .tokens(Array(0..<20)), maxTokens: 4))
        _ = try driver.step(chunks: [driver.chunk(1, 0..<20)])
        do {
            _ = try driver.step(chunks: [driver.chunk(2, 0..<20)])
            Issue.record("the step should have failed")
        } catch let status as Status {
            #expect(status.reason == .outOfMemory)
        }
        driver.engine.release(SequenceID(rawValue: 1))
        #expect(try driver.step(chunks: [driver.chunk(2, 0..<20)]).count == 1)
    }

    @Test("an end token finishes without text, max_tokens with length")
    func finish() throws {
        let driver = EngineDriver(engine: try ModelFixture.engine())
        let long = try driver.run(driver.request(maxTokens: 7))
        #expect(long.tokens.count == 7)
        #expect(long.finish == .length)
        var sequence = EngineSequence(prompt: [1], request: driver.request(), contextLength: 512)
        let (text, finish) = sequence.append(258, of: driver.engine.text)
        #expect(text == "")
        #expect(finish == .stop)
    }

    @Test("an answer ends before a stop string and with its first tokens")
    func stopString() throws {
        let driver = EngineDriver(engine: try ModelFixture.engine())
        let prompt = PromptInput.text("Tell me")
        let free = Sampling(temperature: 1, seed: 8)
        let whole = try driver.run(driver.request(1, prompt, sampling: free, maxTokens: 60))
        let scalars = Array(whole.text.unicodeScalars)
        let stop = String(String.UnicodeScalarView(scalars[scalars.count / 2..<scalars.count / 2 + 3]))
        let sampling = Sampling(temperature: 1, seed: 8, stop: [stop])
        let stopped = try driver.run(driver.request(2, prompt, sampling: sampling, maxTokens: 60))
        #expect(stopped.finish == .stop)
        #expect(whole.tokens.starts(with: stopped.tokens))
        #expect(whole.text.utf8.starts(with: stopped.text.utf8))
        #expect(stopped.text.unicodeScalars.count <= scalars.count / 2)
        #expect(!stopped.text.contains(stop))
    }

    @Test("the bundled model loads and answers a conversation")
    func bundled() throws {
        let engine = try ReferenceEngine(bundled: ModelFixture.configuration)
        #expect(engine.description.model == "aladdin-tiny")
        #expect(engine.description.kind == "cpu")
        let driver = EngineDriver(engine: engine)
        let chat = PromptInput.chat([ChatMessage(role: "user", content: "Hello")])
        let answer = try driver.run(driver.request(1, chat, maxTokens: 8))
        #expect((1...8).contains(answer.tokens.count))
        #expect(answer.finish != nil)
    }

    @Test("the self-measurement gives positive coefficients")
    func measuredProfile() throws {
        var configuration = ModelFixture.configuration
        configuration.measuresSpeed = true
        configuration.modelName = "renamed"
        let description = try ModelFixture.engine(configuration: configuration).description
        #expect(description.model == "renamed")
        #expect(description.resumesPrefix)
        #expect(description.profile.decode.c3Milliseconds > 0)
        #expect(description.profile.decode.k2Milliseconds > 0)
        #expect(description.profile.prefill.k1Milliseconds > 0)
        #expect(description.profile.kvCache.capacityTokens == 4096)
        #expect(!description.profile.device.isEmpty)
    }
}
