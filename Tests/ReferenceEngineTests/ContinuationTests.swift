import EngineInterface
import ServingModel
import Testing

@testable import ReferenceEngine

/// Preemption and resumption, which compute keys and values by another route.
///
/// Their last bits may differ, so tokens are comparable only where the two best are well apart: the first test sees to that.
@Suite("Continuation")
struct ContinuationTests {
    private static let samplings = [Sampling(), Sampling(temperature: 0.9, topP: 0.95, topK: 50, seed: 11)]

    @Test("the fixture's greedy answer has no near ties")
    func noNearTies() throws {
        let driver = EngineDriver(engine: try ModelFixture.engine("llama-head-dim"))
        let answer = try driver.run(driver.request(1, .tokens(Array(30..<50)), maxTokens: 40))
        let tokens = Array(30..<50) + answer.tokens
        let transformer = driver.engine.transformer
        var blocks: [Int32] = []
        #expect(transformer.cache.extend(&blocks, toTokens: tokens.count))
        let segment = Transformer.Segment(tokens: tokens[...], firstPosition: 0, blocks: blocks)
        let logits = transformer.logits(of: transformer.forward([segment], method: .panels), count: tokens.count)
        for row in 19..<tokens.count - 1 {
            let scores = (0..<272).map { logits[row * 272 + $0] }.sorted()
            #expect(scores[271] - scores[270] > 1e-3)
        }
    }

    @Test("a preempted sequence answers as an undisturbed one", arguments: samplings)
    func preemption(sampling: Sampling) throws {
        let driver = EngineDriver(engine: try ModelFixture.engine("llama-head-dim"))
        let prompt = PromptInput.tokens(Array(30..<50))
        let plain = try driver.run(driver.request(1, prompt, sampling: sampling, maxTokens: 40))
        let disturbed = try driver.run(
            driver.request(2, prompt, sampling: sampling, maxTokens: 40),
            chunkTokens: 7,
            preemptions: [1, 5, 20]
        )
        #expect(disturbed == plain)
        #expect(plain.tokens.count > 20)
        #expect(driver.engine.transformer.cache.freeBlocks == driver.engine.transformer.cache.blockCount)
    }

    @Test("a resumed sequence continues tokens and text exactly", arguments: samplings)
    func resumption(sampling: Sampling) throws {
        let first = EngineDriver(engine: try ModelFixture.engine("llama-head-dim"))
        let prompt = PromptInput.tokens(Array(30..<50))
        var sampling = sampling
        sampling.stop = ["\u{1}\u{1}nowhere"]
        let whole = try first.run(first.request(1, prompt, sampling: sampling, maxTokens: 30))
        for cut in [1, 2, 10, whole.tokens.count - 1] {
            let second = EngineDriver(engine: try ModelFixture.engine("llama-head-dim"))
            let rest = try second.run(
                second.request(
                    1,
                    prompt,
                    sampling: sampling,
                    maxTokens: 30,
                    resumed: Array(whole.tokens.prefix(cut))
                )
            )
            #expect(rest.tokens == Array(whole.tokens.dropFirst(cut)))
            #expect(rest.texts == Array(whole.texts.dropFirst(cut)))
            #expect(rest.finish == whole.finish)
        }
    }

    @Test("text that was held back at the cut is emitted after it")
    func heldTextIsReplayed() throws {
        let tokenizer = try ModelFixture.tokenizer("bytes")
        let tokens = tokenizer.encode("ab🙂ENx", addedTokens: .all)
        let model = ModelText(tokenizer: tokenizer, chatFormat: .plain(begin: nil), endTokens: [], vocabularySize: 300)
        var request = EngineDriver(engine: try ModelFixture.engine()).request(maxTokens: 100)
        request.sampling.stop = ["END"]
        for cut in 0...tokens.count {
            var sequence = EngineSequence(prompt: [1], request: request, contextLength: 1000)
            var text = ""
            for (index, token) in tokens.enumerated() {
                if index == cut {
                    // Another worker replays the tokens so far, silently.
                    sequence = EngineSequence(prompt: [1], request: request, contextLength: 1000)
                    for token in tokens[..<cut] { _ = sequence.append(token, of: model) }
                }
                text += sequence.append(token, of: model).text
            }
            #expect(text == "ab🙂ENx")
        }
    }

    @Test("a finished answer cannot be resumed")
    func finishedAnswer() throws {
        let driver = EngineDriver(engine: try ModelFixture.engine())
        #expect(throws: Status.self) { try driver.engine.admit(driver.request(resumed: [1, 258])) }
        #expect(throws: Status.self) { try driver.engine.admit(driver.request(maxTokens: 2, resumed: [1, 2])) }
    }
}
