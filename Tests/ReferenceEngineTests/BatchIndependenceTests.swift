import EngineInterface
import ServingModel
import Testing

@testable import ReferenceEngine

@Suite("Batch independence")
struct BatchIndependenceTests {
    private func bits(_ pointer: UnsafePointer<Float>, _ count: Int) -> [UInt32] {
        (0..<count).map { pointer[$0].bitPattern }
    }

    @Test(
        "a decoded row has the same bits alone and among others, on one thread and on several",
        arguments: ["llama-f16", "llama-bf16", "llama-gqa", "qwen2"]
    )
    func decodeRows(model: String) throws {
        let tokens = try ModelFixture.expected(model).tokens
        var results: [[[UInt32]]] = []
        for threads in [1, 2, 3] {
            var configuration = ModelFixture.configuration
            configuration.threads = threads
            let transformer = try ModelFixture.engine(model, configuration: configuration).transformer
            let vocabulary = transformer.configuration.vocabularySize
            // Seven sequences with contexts of different lengths.
            let segments = (1...7).map { index in
                var blocks: [Int32] = []
                #expect(transformer.cache.extend(&blocks, toTokens: index * 3))
                let prompt = Transformer.Segment(tokens: tokens[0..<index * 3 - 1], firstPosition: 0, blocks: blocks)
                _ = transformer.forward([prompt], method: .panels)
                return Transformer.Segment(
                    tokens: tokens[index * 3 - 1..<index * 3],
                    firstPosition: index * 3 - 1,
                    blocks: blocks
                )
            }
            let alone = segments.map { segment in
                let hidden = transformer.forward([segment], method: .rows)
                return bits(transformer.logits(of: hidden, count: 1), vocabulary)
            }
            for order in [Array(0..<7), [6, 2, 4], [1, 0], [5, 3, 1, 0, 6]] {
                let hidden = transformer.forward(order.map { segments[$0] }, method: .rows)
                let logits = transformer.logits(of: hidden, count: order.count)
                for (slot, index) in order.enumerated() {
                    #expect(bits(logits + slot * vocabulary, vocabulary) == alone[index])
                }
            }
            results.append(alone)
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    @Test("sequences answer the same alone as in steps that mix prefills and decodes of others")
    func mixedSteps() throws {
        let prompts: [[Int32]] = [
            Array(1...40), [9, 8, 7], (0..<23).map { Int32($0 * 11 % 272) }, [250, 3], Array(repeating: 5, count: 70),
        ]
        let sampling = Sampling(temperature: 1, seed: 3)
        var alone: [[Int32]] = []
        for prompt in prompts {
            let driver = EngineDriver(engine: try ModelFixture.engine("qwen2"))
            alone.append(try driver.run(driver.request(1, .tokens(prompt), sampling: sampling, maxTokens: 12)).tokens)
        }
        let driver = EngineDriver(engine: try ModelFixture.engine("qwen2"))
        var together = [[Int32]](repeating: [], count: prompts.count)
        var running: [Int] = []
        for turn in 0..<40 {
            var chunks: [EngineStep.Chunk] = []
            if turn < prompts.count {
                _ = try driver.engine.admit(
                    driver.request(turn + 1, .tokens(prompts[turn]), sampling: sampling, maxTokens: 12)
                )
                chunks.append(driver.chunk(turn + 1, 0..<prompts[turn].count))
            }
            let outputs = try driver.step(decodes: running.reversed(), chunks: chunks)
            #expect(outputs.map(\.sequence.rawValue) == running.reversed() + chunks.map(\.sequence.rawValue))
            running += chunks.map(\.sequence.rawValue)
            for output in outputs {
                together[output.sequence.rawValue - 1].append(output.token)
                if output.finish != nil { running.removeAll { $0 == output.sequence.rawValue } }
            }
            if running.isEmpty { break }
        }
        #expect(together == alone)
    }
}
