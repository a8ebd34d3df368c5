internal import DequeModule
internal import ServingModel

extension ContinuousBatch {
    /// Checks that no block and no sequence is lost or counted twice; traps otherwise.
    ///
    /// Complexity: O(sequences).
    package func checkInvariants() {
        running.checkInvariants()
        checkBlocks()
        checkSequences()
        checkStepInProgress()
    }

    private func checkBlocks() {
        var held = 0
        // During a decode the block for the token to come is already taken.
        let ahead = stepInProgress?.decodes.isEmpty == false ? 1 : 0
        for position in running.keys.indices {
            held += blocks.blocks(holding: running.contextTokens(at: position) + ahead)
        }
        for sequence in prefilling {
            held += blocks.blocks(holding: sequence.promptTokens + 1)
        }
        precondition(blocks.free >= 0)
        precondition(blocks.free + held == blocks.total, "\(blocks.free) free and \(held) held of \(blocks.total)")
    }

    private func checkSequences() {
        var seen: Set<SequenceKey> = []
        for sequence in waiting { precondition(seen.insert(sequence.key).inserted, "a waiting sequence is twice here") }
        for sequence in prefilling {
            precondition(seen.insert(sequence.key).inserted, "a prefilling sequence is twice here")
            precondition((sequence.cachedTokens..<sequence.promptTokens).contains(sequence.prefilledTokens))
        }
        for key in running.keys { precondition(seen.insert(key).inserted, "a running sequence is twice here") }
        precondition(running.count + prefilling.count <= limits.maximumSequences, "more residents than seats")
        let tokens = waiting.reduce(0) { $0 + ($1.isPrefilled ? 0 : $1.promptTokens) }
        precondition(tokens == waitingTokens, "waiting tokens are miscounted")
        // Only the first of them is ever part done: budgets are spent in order.
        precondition(
            prefilling.dropFirst().allSatisfy { $0.prefilledTokens == $0.cachedTokens },
            "prefills overtook each other"
        )
    }

    private func checkStepInProgress() {
        guard let step = stepInProgress else {
            precondition(leaving.isEmpty, "cancelled sequences were left behind")
            precondition(mode == .chunked || prefilling.isEmpty, "a prefill outlived its step")
            return
        }
        precondition(step.decodes.isEmpty || step.decodes == running.keys, "a decode leaves someone out")
        precondition(step.chunks.count <= prefilling.count)
        for (chunk, sequence) in zip(step.chunks, prefilling) {
            precondition(chunk.sequence == sequence.key && chunk.start == sequence.prefilledTokens)
            precondition(chunk.completesPrompt == (chunk.end == sequence.promptTokens) && chunk.start < chunk.end)
        }
    }
}
