internal import DequeModule
internal import ServingModel

extension ContinuousBatch {
    /// Mode B: a token for everything that runs and, with what is left of the token budget, chunks of prompts.
    ///
    /// What was prefilled elsewhere runs at once. It counts as older than a prompt that is under way.
    mutating func nextChunkedPrefillStep() -> BatchStep? {
        let imported = admitPrefilledHeads()
        let preempted = reserveDecodeBlocks()
        var workload = decodeWorkload(.decode)
        var budget = limits.chunkTokens - running.count
        var chunks: [BatchStep.Chunk] = []

        func addChunk() {
            let chunk = chunk(at: chunks.count, budget: budget, addingTo: &workload)
            budget -= chunk.end - chunk.start
            chunks.append(chunk)
        }
        while budget > 0, chunks.count < prefilling.count { addChunk() }
        // Memory is short if something was preempted: nothing new is let in beside it.
        if preempted.isEmpty {
            while budget > 0, admitHead() { addChunk() }
        }
        if !chunks.isEmpty { workload.kind = .mixed }
        guard !chunks.isEmpty || !running.isEmpty else { return nil }
        return BatchStep(
            preempted: preempted,
            imported: imported,
            decodes: running.keys,
            chunks: chunks,
            workload: workload
        )
    }
}
