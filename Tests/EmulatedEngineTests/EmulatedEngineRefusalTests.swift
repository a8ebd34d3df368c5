import EmulatedEngine
import EngineInterface
import ServingModel
import Testing

@Suite("What the emulated engine refuses")
struct EmulatedEngineRefusalTests {
    private func makeEngine() -> EmulatedEngine {
        EmulatedEngine(profile: .small, timer: RecordingTimer())
    }

    private func refusal(of request: SequenceRequest) -> Reason? {
        do throws(Status) {
            _ = try makeEngine().admit(request)
            return nil
        } catch {
            #expect(error.code == .invalidArgument)
            return error.reason
        }
    }

    @Test("Prompts are counted at four bytes a token, conversations summed, tokens as they are")
    func counts() throws {
        let engine = makeEngine()
        #expect(try engine.admit(.text("123456789", id: 1)) == 3)
        var request = SequenceRequest.text("", id: 2)
        request.input = .chat([.init(role: "system", content: "12345"), .init(role: "user", content: "1234")])
        #expect(try engine.admit(request) == 3)
        request.id = SequenceID(rawValue: 3)
        request.input = .tokens([5, 6, 7, 8])
        #expect(try engine.admit(request) == 4)
    }

    @Test("An empty prompt is refused, in each of its forms")
    func emptyPrompt() {
        #expect(refusal(of: .text("", id: 1)) == .emptyPrompt)
        var request = SequenceRequest.text("", id: 1)
        request.input = .chat([ChatMessage(role: "user", content: "")])
        #expect(refusal(of: request) == .emptyPrompt)
        request.input = .tokens([])
        #expect(refusal(of: request) == .emptyPrompt)
    }

    @Test("A prompt that leaves no room for a token is refused")
    func promptTooLong() {
        var request = SequenceRequest.text("", id: 1)
        request.input = .tokens(Array(repeating: 1, count: 1023))
        #expect(refusal(of: request) == nil)
        request.input = .tokens(Array(repeating: 1, count: 1024))
        #expect(refusal(of: request) == .promptTooLong)
    }

    @Test("A negative token and an answer that is already complete are refused")
    func otherRefusals() {
        var request = SequenceRequest.text("", id: 1)
        request.input = .tokens([1, -1])
        #expect(refusal(of: request) == .malformed)
        request = .text("prompt", id: 1, maxTokens: 2)
        request.resumedTokens = [1, 2]
        #expect(refusal(of: request) == .maxTokensOutOfRange)
    }

    @Test("A step that does not follow on the cache fails")
    func inconsistentSteps() throws {
        let steps: [EngineStep] = [
            .decode([1], contextTokens: 2),
            .decode([7], contextTokens: 2),
            .prefill(7, tokens: 2),
            .prefill(1, tokens: 3),
            .prefill(1, tokens: 1),
        ]
        for step in steps {
            let engine = makeEngine()
            _ = try engine.admit(.text("12345678", id: 1))
            #expect(throws: Status.self) { try engine.step(step) }
        }
    }

    @Test("The monotonic timer's wait ends after its deadline")
    func monotonicTimer() {
        let timer = MonotonicTimer()
        let deadline = timer.now() + Interval(nanoseconds: 1000)
        timer.wait(until: deadline)
        #expect(timer.now() >= deadline)
        timer.wait(until: .zero)
    }
}
