import Batching
import ServingModel
import Testing

extension ContinuousBatch {
    /// A batch of `blocks` blocks of 16 tokens; no watermark unless told.
    init(
        _ mode: BatchingMode,
        blocks: Int,
        watermark: Double = 0,
        sequences: Int = 8,
        batched: Int = 1000,
        chunk: Int = 64
    ) {
        var cache = LatencyProfile.KVCache()
        cache.capacityTokens = blocks * 16
        cache.watermark = watermark
        var limits = LatencyProfile.Limits()
        limits.maximumSequences = sequences
        limits.maximumBatchedTokens = batched
        limits.chunkTokens = chunk
        self.init(mode: mode, kvCache: cache, limits: limits)
    }

    /// Starts the next step; a test that gets none fails.
    mutating func requireStep() throws -> BatchStep {
        let step = startStep()
        return try #require(step)
    }
}

/// A sequence's name.
func key(_ number: Int) -> SequenceKey { SequenceKey(rawValue: number) }
