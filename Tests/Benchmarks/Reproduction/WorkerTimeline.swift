internal import Batching
internal import ServingModel

/// What one worker does with prompts that come at given times: the batching of real workers, timed by a profile.
struct WorkerTimeline {
    struct Prompt {
        /// Seconds.
        var arrival: Double
        var tokens: Int
        /// Nil for an answer that outlasts the timeline.
        var answer: Int?
    }

    struct Step {
        var start: Double
        var end: Double
        var isPrefill: Bool
    }

    private(set) var steps: [Step] = []
    /// When each prompt's answer got its tokens.
    private(set) var tokens: [[Double]]

    /// - Parameters:
    ///   - prompts: in order of arrival.
    ///   - end: the steps that begin before it are run.
    init(_ prompts: [Prompt], on profile: LatencyProfile, until end: Double) {
        tokens = prompts.map { _ in [] }
        var batch = ContinuousBatch(mode: .prefillPriority, kvCache: profile.kvCache, limits: profile.limits)
        var next = 0
        var now = prompts.first?.arrival ?? end
        while now < end {
            while next < prompts.count, prompts[next].arrival <= now {
                batch.enqueue(SequenceKey(rawValue: next), promptTokens: prompts[next].tokens)
                next += 1
            }
            guard let step = batch.startStep() else {
                guard next < prompts.count else { return }
                now = prompts[next].arrival
                continue
            }
            let start = now
            now += profile.seconds(of: step.workload)
            steps.append(Step(start: start, end: now, isPrefill: step.workload.kind == .prefill))
            let advanced = step.decodes + step.chunks.filter(\.completesPrompt).map(\.sequence)
            for key in advanced { tokens[key.rawValue].append(now) }
            batch.completeStep(
                finished: advanced.filter { prompts[$0.rawValue].answer == tokens[$0.rawValue].count }
            )
        }
    }
}
