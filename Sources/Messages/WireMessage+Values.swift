internal import ServingModel

/// What may be handed over as it is: whatever there is much of.
///
/// Registrations and insights are rare, and what decoding does to a profile is not to be repeated here.

extension GenerateRequest {
    package var travelsAsValue: Bool {
        Bounds.fit32(maxTokens) && !model.hasNUL && input.travelsAsValue && sampling.travelsAsValue
            && metadata.allSatisfy { !$0.key.hasNUL && !$0.value.hasNUL }
    }
}

extension PromptInput {
    fileprivate var travelsAsValue: Bool {
        switch self {
        case .text(let text): !text.hasNUL
        case .chat(let messages): messages.allSatisfy { !$0.role.hasNUL && !$0.content.hasNUL }
        case .tokens(let ids): ids.allSatisfy { $0 >= 0 }
        }
    }
}

extension Sampling {
    /// A share of 0 is read as one that was not set.
    fileprivate var travelsAsValue: Bool {
        temperature.isFinite && topP.isFinite && topP != 0 && Bounds.fit32(topK) && stop.allSatisfy { !$0.hasNUL }
    }
}

extension GenerateEvent {
    /// The broker says nothing that it has not taken in as these are.
    package var travelsAsValue: Bool { true }
}

extension Status {
    package var travelsAsValue: Bool { !message.hasNUL }
}

extension ClusterEvents {
    /// The broker says nothing that it has not taken in as these are.
    package var travelsAsValue: Bool { true }
}

extension WorkerCommand {
    /// The broker says nothing that it has not taken in as these are.
    package var travelsAsValue: Bool { true }
}

extension WorkerReport {
    package var travelsAsValue: Bool {
        switch self {
        case .registration: false
        case .pull, .drain: true
        case .step(let step): step.travelsAsValue
        }
    }
}

extension StepReport {
    fileprivate var travelsAsValue: Bool {
        Bounds.fit(duration) && Bounds.fit32(waiting) && Bounds.fit(freeKVTokens)
            && workload?.travelsAsValue ?? true && progress.allSatisfy(\.travelsAsValue)
    }
}

extension StepWorkload {
    fileprivate var travelsAsValue: Bool {
        Bounds.fit32(prefillTokens) && Bounds.fit32(decodeSequences) && Bounds.fit(prefillSquares)
            && Bounds.fit(contextTokens)
    }
}

extension LeaseProgress {
    fileprivate var travelsAsValue: Bool {
        handedOver == nil && tokens?.travelsAsValue ?? true && failed?.travelsAsValue ?? true
            && finished.map { Bounds.fit32($0.inputTokens) && Bounds.fit32($0.outputTokens) } ?? true
    }
}

extension TokensEvent {
    fileprivate var travelsAsValue: Bool {
        Bounds.fit32(firstIndex) && Bounds.fit32(count) && (ids.isEmpty || ids.count == count)
            && ids.allSatisfy { $0 >= 0 } && !text.hasNUL
    }
}

extension SchedulerReport {
    package var travelsAsValue: Bool {
        guard case .placements(let placements) = self else { return false }
        return placements.allSatisfy { $0.explanation?.travelsAsValue ?? true }
    }
}

extension PlacementExplanation {
    fileprivate var travelsAsValue: Bool {
        reason.utf8.count <= ExplanationBounds.text && !reason.hasNUL && Bounds.fit(held) && Bounds.fit32(batch)
            && candidates.count <= ExplanationBounds.candidates
            && candidates.allSatisfy { candidate in
                candidate.failed.utf8.count <= ExplanationBounds.text && !candidate.failed.hasNUL
                    && candidate.terms.count <= ExplanationBounds.terms
                    && candidate.terms.allSatisfy {
                        $0.value.isFinite && $0.name.utf8.count <= ExplanationBounds.name && !$0.name.hasNUL
                    }
            }
    }
}

/// What numbers and times may be on the wire.
private enum Bounds {
    static func fit32(_ number: Int) -> Bool { (0...Int(UInt32.max)).contains(number) }

    static func fit(_ count: Int) -> Bool { (0...Int(WireBounds.largestCount)).contains(count) }

    static func fit(_ time: Interval) -> Bool {
        time >= .zero && time.nanoseconds / 1000 <= Int64(WireBounds.longestMicroseconds)
    }
}
