/// What a prompt begins with: a chain of blocks, each named by a hash of everything up to its end.
public struct PromptBlocks: Hashable, Sendable {
    public static let none = PromptBlocks(hashes: [], blockTokens: 1)

    public let hashes: [UInt64]
    /// Tokens of each block, at least 1; the prompt may be longer than all of them, or end within the last.
    public let blockTokens: Int

    public init(hashes: [UInt64], blockTokens: Int) {
        self.hashes = hashes
        self.blockTokens = max(1, blockTokens)
    }

    public var isEmpty: Bool { hashes.isEmpty }

    /// How many of the prompt's tokens a cache holds.
    ///
    /// - Parameter promptTokens: the tokens to prefill; the last of them is computed in any case, for it yields the next.
    package func cachedTokens(in cache: PrefixCache, promptTokens: Int) -> Int {
        guard !hashes.isEmpty, !cache.isEmpty else { return 0 }
        return max(0, min(promptTokens - 1, cache.match(hashes) * blockTokens))
    }
}
