import EmulatedEngine
import EngineInterface
import ServingModel
import Testing

@Suite("The emulated engine")
struct EmulatedEngineTests {
    @Test("It says that it is emulated")
    func saysSo() {
        let engine = EmulatedEngine(profile: .small)
        #expect(engine.description.kind == "emulated")
        #expect(engine.description.model == "small")
        #expect(engine.description.contextLength == 1024)
        #expect(engine.description.resumesPrefix)
    }

    @Test("A step waits as long as the profile says, times the scale")
    func waits() throws {
        let timer = RecordingTimer()
        var configuration = EmulatedEngine.Configuration()
        configuration.timeScale = 0.5
        let engine = EmulatedEngine(profile: .small, configuration: configuration, timer: timer)
        _ = try engine.admit(.text("12345678", id: 1))
        _ = try engine.step(.prefill(1, tokens: 2))
        _ = try engine.step(.decode([1], contextTokens: 3))
        // 10 + 1·2 ms, then 20 + 0.5 + 0.1·3 ms, halved.
        #expect(timer.waits.map(\.nanoseconds) == [6_000_000, 10_400_000])
    }

    @Test("An engine that cannot go on with another's answer says so")
    func startsOver() {
        var configuration = EmulatedEngine.Configuration()
        configuration.resumesPrefix = false
        #expect(!EmulatedEngine(profile: .small, configuration: configuration).description.resumesPrefix)
    }

    @Test("Noise is reproduced by its seed and leaves the mean where it is")
    func noise() throws {
        func waits(seed: UInt64) throws -> [Interval] {
            let timer = RecordingTimer()
            var configuration = EmulatedEngine.Configuration()
            configuration.relativeNoise = 0.1
            configuration.noiseSeed = seed
            let engine = EmulatedEngine(profile: .small, configuration: configuration, timer: timer)
            _ = try engine.admit(.text("12345678", id: 1, maxTokens: 500))
            _ = try engine.step(.prefill(1, tokens: 2))
            for index in 0..<400 { _ = try engine.step(.decode([1], contextTokens: 3 + index)) }
            return timer.waits
        }
        let first = try waits(seed: 1)
        #expect(try waits(seed: 1) == first)
        #expect(try waits(seed: 2) != first)
        var expected = 0.0
        for index in 0..<400 { expected += 20.5 + 0.1 * Double(3 + index) }
        let measured = first.dropFirst().reduce(0.0) { $0 + $1.milliseconds }
        #expect(abs(measured / expected - 1) < 0.03)
    }

    @Test("The answer is as long as the hint and stops there")
    func followsTheHint() throws {
        let outputs = try answer(to: .text("prompt", id: 1, maxTokens: 10, hint: 4))
        #expect(outputs.count == 4)
        #expect(outputs.map(\.finish) == [nil, nil, nil, .stop])
    }

    @Test("Without a hint, or with one at or past it, the answer ends at max_tokens for its length")
    func endsAtMaxTokens() throws {
        for hint in [nil, 10, 11] {
            let outputs = try answer(to: .text("prompt", id: 1, maxTokens: 10, hint: hint))
            #expect(outputs.count == 10)
            #expect(outputs.last?.finish == .length)
        }
    }

    @Test("The context's end ends the answer")
    func endsAtTheContext() throws {
        let outputs = try answer(to: .text(String(repeating: "x", count: 4 * 1000), id: 1, maxTokens: 500))
        #expect(outputs.count == 24)
        #expect(outputs.last?.finish == .length)
    }

    @Test("The same seed gives the same words, another seed others; words are apart by spaces")
    func textIsDeterministic() throws {
        let text = try answer(to: .text("prompt", id: 1, maxTokens: 20)).map(\.text).joined()
        #expect(try answer(to: .text("other", id: 9, maxTokens: 20)).map(\.text).joined() == text)
        #expect(try answer(to: .text("prompt", id: 1, maxTokens: 20, seed: 8)).map(\.text).joined() != text)
        #expect(text.split(separator: " ").count == 20)
        #expect(!text.hasPrefix(" "))
    }

    @Test("An answer continued elsewhere is the answer that was not interrupted", arguments: [1, 7, 19])
    func resumes(after count: Int) throws {
        let whole = try answer(to: .text("prompt", id: 1, maxTokens: 20))
        var request = SequenceRequest.text("prompt", id: 1, maxTokens: 20)
        request.resumedTokens = whole.prefix(count).map(\.token)
        #expect(try answer(to: request) == Array(whole.dropFirst(count)))
    }

    @Test("A preempted sequence goes on with its next token")
    func preempted() throws {
        let engine = EmulatedEngine(profile: .small, timer: RecordingTimer())
        let whole = try answer(to: .text("12345678", id: 1, maxTokens: 3))
        _ = try engine.admit(.text("12345678", id: 1, maxTokens: 3))
        var outputs = try engine.step(.prefill(1, tokens: 2))
        var step = EngineStep(preempted: [.one], decodes: [], chunks: [], workload: StepWorkload(kind: .decode))
        outputs += try engine.step(step)
        step = .prefill(1, tokens: 3)
        outputs += try engine.step(step)
        outputs += try engine.step(.decode([1], contextTokens: 4))
        #expect(outputs == whole)
    }

    /// The outputs of a request served alone.
    private func answer(to request: SequenceRequest) throws -> [SequenceOutput] {
        let engine = EmulatedEngine(profile: .small, timer: RecordingTimer())
        var context = try engine.admit(request) + request.resumedTokens.count
        var outputs = try engine.step(.prefill(request.id.rawValue, tokens: context))
        while outputs.last?.finish == nil {
            context += 1
            outputs += try engine.step(.decode([request.id.rawValue], contextTokens: context))
        }
        engine.release(request.id)
        #expect(engine.sequenceCount == 0)
        return outputs
    }
}
