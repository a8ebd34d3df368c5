internal import DequeModule

extension ContinuousBatch {
    /// What `cancel` did.
    package enum Cancellation: Hashable, Sendable {
        /// The sequence is gone.
        case removed
        /// The sequence is resident while a step is in progress; `completeStep` removes it.
        case atStepEnd
        /// There is no such sequence: it finished, or was cancelled before.
        case unknown
    }

    /// Removes a sequence, whatever its state.
    ///
    /// One that waits is gone at once; one that is resident is gone at the end of the step in progress, if there is
    /// one. Complexity: O(sequences).
    package mutating func cancel(_ key: SequenceKey) -> Cancellation {
        if let position = waiting.firstIndex(where: { $0.key == key }) {
            let sequence = waiting.remove(at: position)
            if !sequence.isPrefilled { waitingTokens -= sequence.promptTokens }
            return .removed
        }
        let prefillingPosition = prefilling.firstIndex { $0.key == key }
        guard prefillingPosition != nil || running.keys.contains(key) else { return .unknown }
        guard stepInProgress == nil else {
            return leaving.insert(key).inserted ? .atStepEnd : .unknown
        }
        if let prefillingPosition {
            let sequence = prefilling.remove(at: prefillingPosition)
            blocks.giveBack(blocks.blocks(holding: sequence.promptTokens + 1))
        } else {
            running.remove(givingBackTo: &blocks) { $0 == key }
        }
        return .removed
    }
}
