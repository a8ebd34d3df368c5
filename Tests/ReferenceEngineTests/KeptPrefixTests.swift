import EngineInterface
import ServingModel
import Testing

@testable import ReferenceEngine

@Suite("Prefixes that the CPU engine keeps")
struct KeptPrefixTests {
    private static let prompt = (0..<50).map { Int32(30 + $0 * 7 % 60) }

    private func driver(kvTokens: Int = 4096, keeps: Bool = true) throws -> EngineDriver {
        var configuration = ModelFixture.configuration
        configuration.keepsPrefixes = keeps
        configuration.kvCapacityTokens = kvTokens
        return EngineDriver(engine: try ModelFixture.engine("llama-head-dim", configuration: configuration))
    }

    /// Runs a prompt of which the worker believes that some is held; greedily, for six tokens.
    private func answer(_ driver: EngineDriver, _ id: Int, _ prompt: [Int32], from start: Int) throws -> [Int32] {
        let request = driver.request(id, .tokens(prompt), maxTokens: 6)
        #expect(try driver.engine.admit(request) == prompt.count)
        var tokens = try driver.step(chunks: [driver.chunk(id, start..<prompt.count)]).map(\.token)
        for _ in 1..<6 { tokens += try driver.step(decodes: [id]).map(\.token) }
        driver.engine.release(request.id)
        return tokens
    }

    private func held(_ driver: EngineDriver, _ tokens: [Int32]) -> Int {
        var blocks: [Int32] = []
        defer { driver.engine.transformer.cache.release(&blocks) }
        return driver.engine.transformer.cache.share(&blocks, beginning: tokens[...])
    }

    @Test("A prompt that goes on where an earlier one went another way gets the answer it would have got")
    func reuse() throws {
        let changed = Self.prompt.prefix(40) + [90, 91, 92, 93, 94]
        let expected = try answer(try driver(keeps: false), 1, Array(changed), from: 0)
        let driver = try driver()
        _ = try answer(driver, 1, Self.prompt, from: 0)
        #expect(held(driver, Self.prompt) == 48)
        #expect(try answer(driver, 2, Array(changed), from: 32) == expected)
        let cache = driver.engine.transformer.cache
        #expect(cache.freeBlocks == cache.blockCount)
    }

    @Test("What is believed to be held and is not is computed all the same")
    func wrongBelief() throws {
        let driver = try driver()
        let expected = try answer(driver, 1, Self.prompt, from: 0)
        let other = try self.driver()
        #expect(try answer(other, 1, Self.prompt, from: 48) == expected)
    }

    @Test("An answer is found again as the beginning of the next prompt")
    func conversation() throws {
        let driver = try driver()
        let first = try answer(driver, 1, Self.prompt, from: 0)
        let next = Self.prompt + first + (0..<20).map { Int32(100 + $0) }
        let expected = try answer(try self.driver(keeps: false), 1, next, from: 0)
        // 50 tokens of prompt and 5 of the answer were computed: three whole blocks.
        #expect(held(driver, next) == 48)
        #expect(try answer(driver, 2, next, from: 48) == expected)
    }

    @Test("Two sequences share blocks at the same time, and one's end takes nothing from the other")
    func sharing() throws {
        let expected = try answer(try driver(keeps: false), 1, Self.prompt, from: 0)
        let driver = try driver()
        _ = try answer(driver, 1, Self.prompt, from: 0)
        for id in 2...3 { _ = try driver.engine.admit(driver.request(id, .tokens(Self.prompt), maxTokens: 6)) }
        var answers = [[Int32]](repeating: [], count: 2)
        let chunks = (2...3).map { driver.chunk($0, 48..<50) }
        for (place, output) in try driver.step(chunks: chunks).enumerated() { answers[place].append(output.token) }
        for _ in 1..<3 {
            for (place, output) in try driver.step(decodes: [2, 3]).enumerated() { answers[place].append(output.token) }
        }
        driver.engine.release(SequenceID(rawValue: 2))
        for _ in 3..<6 { answers[1] += try driver.step(decodes: [3]).map(\.token) }
        driver.engine.release(SequenceID(rawValue: 3))
        #expect(answers == [Array(expected.prefix(3)), expected])
        let cache = driver.engine.transformer.cache
        #expect(cache.freeBlocks == cache.blockCount)
    }

    @Test("When memory is short the beginning that was used longest ago goes, its end first")
    func eviction() throws {
        let driver = try driver(kvTokens: 12 * 16)
        let cache = driver.engine.transformer.cache
        let prompts = (0..<3).map { family in Self.prompt.map { $0 + Int32(family * 61) } }
        for (id, prompt) in prompts.enumerated() { _ = try answer(driver, id + 1, prompt, from: 0) }
        #expect(prompts.map { held(driver, $0) } == [48, 48, 48])
        var blocks: [Int32] = []
        // Nine blocks hold something and three nothing.
        #expect(cache.extend(&blocks, toTokens: 4 * 16))
        #expect(prompts.map { held(driver, $0) } == [32, 48, 48])
        #expect(!cache.extend(&blocks, toTokens: 13 * 16))
        #expect(cache.extend(&blocks, toTokens: 12 * 16))
        #expect(prompts.map { held(driver, $0) } == [0, 0, 0])
        cache.release(&blocks)
        #expect(cache.freeBlocks == cache.blockCount)
    }

    @Test("Blocks are named by tokens, within the prompt but its last token, and only if they are kept")
    func names() throws {
        let driver = try driver()
        let prompts = [Array(Self.prompt.prefix(33)), Array(Self.prompt.prefix(32)), Array(Self.prompt.prefix(5))]
        for (id, prompt) in prompts.enumerated() {
            _ = try driver.engine.admit(driver.request(id + 1, .tokens(prompt), maxTokens: 2))
        }
        let blocks = (1...3).map { driver.engine.promptBlocks(of: SequenceID(rawValue: $0)) }
        #expect(blocks.map { $0?.hashes.count } == [2, 1, 0])
        #expect(blocks[0]?.hashes.first == blocks[1]?.hashes.first && blocks[0]?.blockTokens == 16)
    }
}
