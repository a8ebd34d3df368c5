internal import DequeModule
internal import ServingModel

extension ContinuousBatch {
    /// Moves the head of the queue to `prefilling` if a seat and enough blocks are free.
    ///
    /// The watermark is left free unless nothing is resident: a prompt that fits at all must get in some time. A head
    /// that doesn't fit holds up those behind it, so that long prompts are not starved.
    mutating func admitHead() -> Bool {
        guard let head = waiting.first, !head.isPrefilled, running.count + prefilling.count < limits.maximumSequences
        else { return false }
        let needed = blocks.blocks(holding: head.promptTokens + 1)
        let reserve = running.isEmpty && prefilling.isEmpty ? 0 : blocks.watermark
        guard blocks.free - needed >= reserve else { return false }
        blocks.take(needed)
        waiting.removeFirst()
        waitingTokens -= head.promptTokens
        let cached = cachedTokens(of: head)
        prefilling.append(
            PrefillingSequence(
                key: head.key,
                promptTokens: head.promptTokens,
                prefilledTokens: cached,
                cachedTokens: cached,
                blocks: head.blocks
            )
        )
        if cached > 0 {
            cachedTokens += cached
            keep(head.blocks, upTo: cached)
        }
        return true
    }

    /// Tokens of a waiting sequence that are in the KV cache already; 0 if prefixes are not kept.
    func cachedTokens(of sequence: WaitingSequence) -> Int {
        guard let prefixes else { return 0 }
        return sequence.blocks.cachedTokens(in: prefixes, promptTokens: sequence.promptTokens)
    }

    /// Notes that the blocks of a prompt's first tokens were used.
    mutating func keep(_ prompt: PromptBlocks, upTo tokens: Int) {
        let count = min(prompt.hashes.count, (tokens + prompt.blockTokens - 1) / prompt.blockTokens)
        prefixes?.use(prompt.hashes.prefix(count), blockTokens: prompt.blockTokens)
    }

    /// Lets go of prefixes for which there is no memory beside what runs.
    ///
    /// Prompts of running sequences are among the prefixes and take no memory of their own.
    mutating func trimPrefixes() {
        guard prefixes != nil else { return }
        prefixes?.trim(toTokens: blocks.free * blocks.blockTokens + running.promptTokens)
    }

    /// Moves sequences that were prefilled elsewhere from the head of the queue to `running`, as seats and blocks allow.
    ///
    /// - Returns: the sequences in order.
    mutating func admitPrefilledHeads() -> [SequenceKey] {
        var admitted: [SequenceKey] = []
        while let head = waiting.first, head.isPrefilled, running.count + prefilling.count < limits.maximumSequences {
            let needed = blocks.blocks(holding: head.promptTokens)
            let reserve = running.isEmpty && prefilling.isEmpty ? 0 : blocks.watermark
            guard blocks.free - needed >= reserve else { break }
            blocks.take(needed)
            waiting.removeFirst()
            running.append(head.key, contextTokens: head.promptTokens)
            admitted.append(head.key)
        }
        return admitted
    }

    /// Takes the blocks that the running sequences' next tokens need, and preempts, youngest first, while there are too
    /// few.
    ///
    /// - Returns: the preempted sequences, youngest first; they are at the head of `waiting`, oldest first.
    mutating func reserveDecodeBlocks() -> [SequenceKey] {
        var preempted: [SequenceKey] = []
        while blocks.free < running.sequencesAtBlockBoundary {
            preempted.append(preemptYoungest())
        }
        blocks.take(running.sequencesAtBlockBoundary)
        return preempted
    }

    private mutating func preemptYoungest() -> SequenceKey {
        precondition(running.count + prefilling.count > 1, "a sequence outgrew the KV cache: canEverFit was not asked")
        let victim: WaitingSequence
        if let last = prefilling.popLast() {
            victim = WaitingSequence(key: last.key, promptTokens: last.promptTokens, blocks: last.blocks)
            blocks.giveBack(blocks.blocks(holding: last.promptTokens + 1))
        } else {
            let last = running.removeLast()
            victim = WaitingSequence(key: last.key, promptTokens: last.contextTokens)
            blocks.giveBack(blocks.blocks(holding: last.contextTokens))
        }
        waiting.prepend(victim)
        waitingTokens += victim.promptTokens
        return victim.key
    }

    /// The next chunk of a prefilling sequence, at most `budget` tokens, added to the workload in its model's terms.
    func chunk(at position: Int, budget: Int, addingTo workload: inout StepWorkload) -> BatchStep.Chunk {
        let sequence = prefilling[position]
        let start = sequence.prefilledTokens
        let end = min(sequence.promptTokens, start + budget)
        workload.prefillTokens += end - start
        workload.prefillSquares += end * end - start * start
        return BatchStep.Chunk(
            sequence: sequence.key,
            start: start,
            end: end,
            completesPrompt: end == sequence.promptTokens
        )
    }
}
