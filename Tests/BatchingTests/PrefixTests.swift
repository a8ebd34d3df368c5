import ServingModel
import Testing

@testable import Batching

@Suite("Prefixes that a batch keeps")
struct PrefixTests {
    private func batch(_ mode: BatchingMode, blocks: Int = 64, keepsPrefixes: Bool = true) -> ContinuousBatch {
        var cache = LatencyProfile.KVCache()
        cache.capacityTokens = blocks * 16
        cache.watermark = 0
        var limits = LatencyProfile.Limits()
        limits.maximumSequences = 4
        limits.maximumBatchedTokens = 300
        limits.chunkTokens = 64
        return ContinuousBatch(mode: mode, kvCache: cache, limits: limits, keepsPrefixes: keepsPrefixes)
    }

    private func prompt(_ hashes: UInt64...) -> PromptBlocks {
        PromptBlocks(hashes: hashes, blockTokens: 16)
    }

    /// Steps until nothing is left; each answer is one token.
    ///
    /// - Returns: the prompt tokens that were computed, and their squares.
    private func drain(_ batch: inout ContinuousBatch) -> (tokens: Int, squares: Int) {
        var computed = (tokens: 0, squares: 0)
        while let step = batch.startStep() {
            batch.checkInvariants()
            computed.tokens += step.workload.prefillTokens
            computed.squares += step.workload.prefillSquares
            let finished = step.decodes + step.chunks.filter(\.completesPrompt).map(\.sequence)
            batch.completeStep(finished: finished)
            batch.checkInvariants()
        }
        return computed
    }

    @Test("A beginning that is still there is not computed again", arguments: [BatchingMode.prefillPriority, .chunked])
    func reuse(mode: BatchingMode) {
        var batch = batch(mode)
        batch.enqueue(key(1), promptTokens: 100, blocks: prompt(1, 2, 3, 4, 5, 6))
        #expect(drain(&batch) == (100, 100 * 100))
        batch.enqueue(key(2), promptTokens: 120, blocks: prompt(1, 2, 3, 4, 9, 10, 11))
        #expect(drain(&batch) == (120 - 64, 120 * 120 - 64 * 64))
        batch.enqueue(key(3), promptTokens: 96, blocks: prompt(1, 2, 3, 4, 5, 6))
        #expect(drain(&batch).tokens == 1)
        #expect(batch.cachedTokens == 64 + 95)
    }

    @Test("Without the wish for it, or without names of blocks, all is computed", arguments: [true, false])
    func nothingKept(isNamed: Bool) {
        var batch = batch(.chunked, keepsPrefixes: !isNamed)
        for number in 1...2 {
            batch.enqueue(key(number), promptTokens: 100, blocks: isNamed ? prompt(1, 2, 3, 4, 5, 6) : .none)
            #expect(drain(&batch).tokens == 100)
        }
    }

    @Test("What runs takes the memory of beginnings, the oldest first")
    func memory() {
        var batch = batch(.prefillPriority, blocks: 16)
        batch.enqueue(key(1), promptTokens: 96, blocks: prompt(1, 2, 3, 4, 5, 6))
        batch.enqueue(key(2), promptTokens: 96, blocks: prompt(11, 12, 13, 14, 15, 16))
        _ = drain(&batch)
        batch.enqueue(key(3), promptTokens: 140)
        _ = drain(&batch)
        // 9 of 16 blocks were in use: 7 were left for what is kept.
        batch.enqueue(key(4), promptTokens: 96, blocks: prompt(11, 12, 13, 14, 15, 16))
        #expect(drain(&batch).tokens == 1)
        batch.enqueue(key(5), promptTokens: 96, blocks: prompt(1, 2, 3, 4, 5, 6))
        #expect(drain(&batch).tokens == 96 - 16)
    }

    @Test("Random prompts with common beginnings: nothing is lost, and memory is never held twice", arguments: 1...12)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let mode: BatchingMode = seed.isMultiple(of: 2) ? .chunked : .prefillPriority
        var batch = batch(mode, blocks: 40)
        var left: [SequenceKey: Int] = [:]
        var finished = 0
        for round in 0..<600 {
            if batch.count < 12, Bool.random(using: &generator) {
                let blocks = Int.random(in: 1...12, using: &generator)
                let family = UInt64.random(in: 1...4, using: &generator)
                let hashes = (0..<UInt64(blocks)).map { $0 < 6 ? family * 100 + $0 : UInt64(round) * 1000 + $0 }
                let extra = Int.random(in: 1...40, using: &generator)
                left[key(round)] = Int.random(in: 1...60, using: &generator)
                let prompt = PromptBlocks(hashes: hashes, blockTokens: 16)
                batch.enqueue(key(round), promptTokens: blocks * 16 + extra, blocks: prompt)
            }
            if Int.random(in: 0..<20, using: &generator) == 0, let victim = batch.keys.randomElement(using: &generator)
            {
                #expect(batch.cancel(victim) == .removed)
                left[victim] = nil
            }
            guard let step = batch.startStep() else { continue }
            batch.checkInvariants()
            let emitted = step.decodes + step.chunks.filter(\.completesPrompt).map(\.sequence)
            for sequence in emitted { left[sequence, default: 0] -= 1 }
            let done = emitted.filter { left[$0] == 0 }
            finished += done.count
            batch.completeStep(finished: done)
            batch.checkInvariants()
            #expect(batch.prefixes?.tokens ?? 0 <= batch.blocks.free * 16 + batch.running.promptTokens)
        }
        #expect(finished > 50 && batch.cachedTokens > 0)
    }
}
