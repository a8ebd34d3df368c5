internal import DequeModule
internal import ServingModel

extension ContinuousBatch {
    /// Mode A: as many whole prompts as fit, else a decode of everything that runs.
    ///
    /// What was prefilled elsewhere runs without delay, in a decode worker of split-phase serving. Preempted sequences are
    /// always ahead of it in the queue; it waits for them, and they are computed first.
    mutating func nextPrefillPriorityStep() -> BatchStep? {
        let imported = admitPrefilledHeads()
        var workload = StepWorkload(kind: .prefill)
        var chunks: [BatchStep.Chunk] = []
        while let head = waiting.first {
            let tokens = workload.prefillTokens + head.promptTokens - cachedTokens(of: head)
            // The first prompt may be longer than the cap: it could never be prefilled otherwise.
            guard chunks.isEmpty || tokens <= limits.maximumBatchedTokens, admitHead() else { break }
            chunks.append(chunk(at: chunks.count, budget: head.promptTokens, addingTo: &workload))
        }
        guard chunks.isEmpty else {
            return BatchStep(preempted: [], imported: imported, decodes: [], chunks: chunks, workload: workload)
        }
        guard !running.isEmpty else { return nil }
        let preempted = reserveDecodeBlocks()
        return BatchStep(
            preempted: preempted,
            imported: imported,
            decodes: running.keys,
            chunks: [],
            workload: decodeWorkload(.decode)
        )
    }

    /// The running sequences' part of a step.
    func decodeWorkload(_ kind: StepWorkload.Kind) -> StepWorkload {
        StepWorkload(kind: kind, decodeSequences: running.count, contextTokens: running.contextTokens)
    }
}
