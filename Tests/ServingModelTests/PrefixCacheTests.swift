import ServingModel
import Testing

@Suite("Prefix cache")
struct PrefixCacheTests {
    /// Blocks in the order of their use, the latest last.
    private struct NaiveCache {
        var blocks: [(hash: UInt64, tokens: Int)] = []
        var tokens: Int { blocks.reduce(0) { $0 + $1.tokens } }

        mutating func use(_ chain: [UInt64], blockTokens: Int) {
            for hash in chain.reversed() {
                let known = blocks.first { $0.hash == hash }?.tokens ?? blockTokens
                blocks.removeAll { $0.hash == hash }
                blocks.append((hash, known))
            }
        }

        mutating func trim(toTokens limit: Int) -> [UInt64] {
            var gone: [UInt64] = []
            while tokens > limit, !blocks.isEmpty { gone.append(blocks.removeFirst().hash) }
            return gone
        }

        func match(_ chain: [UInt64]) -> Int {
            chain.prefix { hash in blocks.contains { $0.hash == hash } }.count
        }
    }

    /// A path down a tree of four children a node: a block's hash names the whole path to it.
    private static func chain(_ generator: inout SeededGenerator) -> [UInt64] {
        var hash: UInt64 = 1
        return (0..<Int.random(in: 1...7, using: &generator)).map { _ in
            hash = hash * 5 + UInt64.random(in: 0..<4, using: &generator)
            return hash
        }
    }

    @Test(
        "It holds, matches and gives up what a list in the order of use would",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func twin(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var cache = PrefixCache()
        var twin = NaiveCache()
        for _ in 0..<400 {
            let chain = Self.chain(&generator)
            #expect(cache.match(chain) == twin.match(chain))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let limit = Int.random(in: 0...1200, using: &generator)
                #expect(cache.trim(toTokens: limit) == twin.trim(toTokens: limit))
            default:
                let tokens = Int.random(in: 1...32, using: &generator)
                cache.use(chain, blockTokens: tokens)
                twin.use(chain, blockTokens: tokens)
                #expect(cache.match(chain) == chain.count)
            }
            #expect(cache.tokens == twin.tokens && cache.count == twin.blocks.count)
        }
    }

    @Test("Of a chain that was used once, the end is given up before the beginning")
    func endGoesFirst() {
        var cache = PrefixCache()
        cache.use([1, 2, 3], blockTokens: 10)
        #expect(cache.trim(toTokens: 20) == [3])
        #expect(cache.match([1, 2, 3]) == 2)
        #expect(cache.trim(toTokens: 0) == [2, 1] && cache.isEmpty)
    }

    @Test("The last token of a prompt is computed even if all of it is held")
    func lastToken() {
        var cache = PrefixCache()
        let prompt = PromptBlocks(hashes: [1, 2], blockTokens: 16)
        #expect(prompt.cachedTokens(in: cache, promptTokens: 32) == 0)
        cache.use(prompt.hashes, blockTokens: 16)
        #expect(prompt.cachedTokens(in: cache, promptTokens: 32) == 31)
        #expect(prompt.cachedTokens(in: cache, promptTokens: 100) == 32)
        #expect(PromptBlocks.none.cachedTokens(in: cache, promptTokens: 32) == 0)
    }
}
