internal import ServingModel

extension Trace {
    /// The trace with the blocks that the prompts of its conversations begin with.
    ///
    /// A trace of lengths tells no prompts. In a conversation each prompt is the one before with the answer and what is
    /// new at its end: all calls of a session begin with the same blocks, as far as each is long. A prompt shorter than
    /// the one before was begun anew, or summarised, and shares no more with what was than the common beginning.
    ///
    /// Queries without a session, and those that name their blocks, stay as they are.
    ///
    /// - Parameter commonTokens: with which the prompts of all sessions begin, such as those of a system prompt.
    package func withSessionBlocks(of blockTokens: Int = 512, commonTokens: Int = 0) -> Trace {
        var commonGenerator = SeededGenerator(seed: 0x5359_5354)
        let common = (0..<commonTokens / blockTokens).map { _ in commonGenerator.next() }
        var last: [Int: (tokens: Int, beginnings: UInt64)] = [:]
        var result = self
        for index in result.entries.indices {
            let entry = result.entries[index]
            guard let session = entry.session, entry.blocks.isEmpty else { continue }
            let before = last[session]
            let isAnew = before.map { entry.inputTokens < $0.tokens } ?? false
            let beginnings = (before?.beginnings ?? 0) + (isAnew ? 1 : 0)
            last[session] = (entry.inputTokens, beginnings)
            var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(session)) &+ beginnings << 40)
            let count = entry.inputTokens / blockTokens
            let own = (0..<max(0, count - common.count)).map { _ in generator.next() }
            let hashes = common.prefix(count) + own
            result.entries[index].blocks = PromptBlocks(hashes: Array(hashes), blockTokens: blockTokens)
        }
        return result
    }
}
