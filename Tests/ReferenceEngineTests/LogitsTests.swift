import Testing

@testable import ReferenceEngine

@Suite("Logits")
struct LogitsTests {
    private func check(
        _ expected: ModelFixture.Expected,
        _ position: Int,
        _ logits: UnsafePointer<Float>,
        _ model: String
    ) {
        guard let row = expected.rows.first(where: { $0.position == position }) else { return }
        let worst = row.logits.indices.map { abs(row.logits[$0] - logits[$0]) }.max() ?? .infinity
        #expect(worst < 1e-3, "\(model), position \(position): off by \(worst)")
    }

    @Test("agree with transformers when a prompt is prefilled by sgemm", arguments: ModelFixture.models)
    func prefill(model: String) throws {
        let transformer = try ModelFixture.engine(model).transformer
        let expected = try ModelFixture.expected(model)
        #expect(expected.rows.count == 4)
        let vocabulary = transformer.configuration.vocabularySize
        var blocks: [Int32] = []
        #expect(transformer.cache.extend(&blocks, toTokens: expected.tokens.count))
        let segment = Transformer.Segment(tokens: expected.tokens[...], firstPosition: 0, blocks: blocks)
        let hidden = transformer.forward([segment], method: .panels)
        let logits = transformer.logits(of: hidden, count: expected.tokens.count)
        for position in expected.tokens.indices {
            check(expected, position, logits + position * vocabulary, model)
        }
    }

    @Test("agree with transformers when a prompt is decoded token by token", arguments: ModelFixture.models)
    func decode(model: String) throws {
        let transformer = try ModelFixture.engine(model).transformer
        let expected = try ModelFixture.expected(model)
        var blocks: [Int32] = []
        for (position, token) in expected.tokens.enumerated() {
            #expect(transformer.cache.extend(&blocks, toTokens: position + 1))
            let segment = Transformer.Segment(tokens: [token], firstPosition: position, blocks: blocks)
            let hidden = transformer.forward([segment], method: .rows)
            check(expected, position, transformer.logits(of: hidden, count: 1), model)
        }
    }

    @Test("agree with transformers when a prompt is prefilled in uneven chunks", arguments: ModelFixture.models)
    func chunks(model: String) throws {
        let transformer = try ModelFixture.engine(model).transformer
        let expected = try ModelFixture.expected(model)
        var blocks: [Int32] = []
        #expect(transformer.cache.extend(&blocks, toTokens: expected.tokens.count))
        var start = 0
        for length in [5, 17, 3, 40, 9, 100] where start < expected.tokens.count {
            let end = min(start + length, expected.tokens.count)
            let tokens = expected.tokens[start..<end]
            let segment = Transformer.Segment(tokens: tokens, firstPosition: start, blocks: blocks)
            let hidden = transformer.forward([segment], method: length > 8 ? .panels : .rows)
            let logits = transformer.logits(of: hidden, count: end - start)
            for position in start..<end {
                check(expected, position, logits + (position - start) * transformer.configuration.vocabularySize, model)
            }
            start = end
        }
        #expect(start == expected.tokens.count)
    }
}
