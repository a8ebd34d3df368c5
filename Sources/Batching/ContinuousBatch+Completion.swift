internal import DequeModule
internal import ServingModel

extension ContinuousBatch {
    /// Ends the step in progress: every decoding sequence has a token more, and so has each whose prompt was completed.
    ///
    /// - Parameter finished: the sequences for which that token was the last, in the step's order (its decodes, then
    ///   its chunks). They are gone after this call.
    /// - Returns: the sequences that `cancel` had left to the step's end and that are gone now; their token does not
    ///   count.
    /// - Precondition: a step is in progress and gave each of `finished` a token.
    ///
    /// Complexity: O(chunks), and O(running) if something leaves.
    @discardableResult
    package mutating func completeStep(finished: [SequenceKey] = []) -> [SequenceKey] {
        guard let step = stepInProgress.take() else { preconditionFailure("no step is in progress") }
        var departure = Departure(finished: finished[...], leaving: leaving)
        leaving.removeAll()
        if !step.decodes.isEmpty { completeDecodes(&departure) }
        completeChunks(step.chunks, &departure)
        if !departure.leaving.isEmpty { removeIdleResidents(&departure) }
        trimPrefixes()
        precondition(departure.finished.isEmpty, "a sequence finished that got no token, or out of order")
        return departure.left
    }

    private mutating func completeDecodes(_ departure: inout Departure) {
        running.advance()
        guard !departure.isEmpty else { return }
        running.remove(givingBackTo: &blocks) { departure.removes($0) }
    }

    /// The chunks belong to the first of `prefilling`, and those that complete a prompt are the first of the chunks.
    private mutating func completeChunks(_ chunks: [BatchStep.Chunk], _ departure: inout Departure) {
        for (position, chunk) in chunks.enumerated() where !chunk.completesPrompt {
            prefilling[position].prefilledTokens = chunk.end
        }
        for chunk in chunks where chunk.completesPrompt {
            let sequence = prefilling.removeFirst()
            assert(sequence.key == chunk.sequence)
            if prefixes != nil, !sequence.blocks.isEmpty { keep(sequence.blocks, upTo: sequence.promptTokens) }
            if departure.removes(sequence.key) {
                blocks.giveBack(blocks.blocks(holding: sequence.promptTokens + 1))
            } else {
                running.append(sequence.key, contextTokens: sequence.promptTokens + 1)
            }
        }
    }

    /// Removes cancelled sequences that are resident but were not given a token by the step.
    private mutating func removeIdleResidents(_ departure: inout Departure) {
        running.remove(givingBackTo: &blocks) { departure.removesCancelled($0) }
        var position = 0
        while position < prefilling.count {
            guard departure.removesCancelled(prefilling[position].key) else {
                position += 1
                continue
            }
            let sequence = prefilling.remove(at: position)
            blocks.giveBack(blocks.blocks(holding: sequence.promptTokens + 1))
        }
    }
}

/// Who leaves at the end of a step.
private struct Departure {
    /// Those not met yet, in the step's order.
    var finished: ArraySlice<SequenceKey>
    /// Cancelled ones not met yet.
    var leaving: Set<SequenceKey>
    /// Cancelled ones that left.
    var left: [SequenceKey] = []

    init(finished: ArraySlice<SequenceKey>, leaving: Set<SequenceKey>) {
        self.finished = finished
        self.leaving = leaving
    }

    var isEmpty: Bool { finished.isEmpty && leaving.isEmpty }

    /// Whether a sequence that got a token leaves; to be asked once for each, in the step's order.
    mutating func removes(_ key: SequenceKey) -> Bool {
        guard finished.first == key else { return removesCancelled(key) }
        finished.removeFirst()
        leaving.remove(key)
        return true
    }

    mutating func removesCancelled(_ key: SequenceKey) -> Bool {
        guard !leaving.isEmpty, leaving.remove(key) != nil else { return false }
        left.append(key)
        return true
    }
}
