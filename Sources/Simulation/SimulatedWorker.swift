package import Batching
internal import HeapModule
package import ServingModel

/// A worker in virtual time: production's batching, with steps that take as long as the profile says.
///
/// Queries are named by their index in the trace. Complexity of a step: O(log n) for each prompt completed and each
/// query finished; decodes cost nothing per query.
package struct SimulatedWorker: Sendable {
    package let profile: LatencyProfile
    package private(set) var batch: ContinuousBatch
    /// Engine steps completed.
    package private(set) var completedSteps = 0

    /// Steps completed that decoded.
    private var decodes = 0
    /// Queries that have begun to run, preempted ones each time.
    private var started = 0
    /// Plans of running queries, and fallen ones that were not met yet.
    private var plannedFinishes = Heap<PlannedFinish>()

    package init(profile: LatencyProfile, mode: BatchingMode) {
        self.profile = profile
        batch = ContinuousBatch(mode: mode, kvCache: profile.kvCache, limits: profile.limits)
    }

    package var isBusy: Bool { batch.stepInProgress != nil }

    /// Takes a query into the queue.
    mutating func enqueue(_ index: Int, _ query: SimulatedQuery) {
        precondition(
            batch.canEverFit(promptTokens: query.inputTokens, maxTokens: query.outputTokens),
            "query \(index) is longer than the KV cache of its worker"
        )
        batch.enqueue(SequenceKey(rawValue: index), promptTokens: query.inputTokens)
    }

    /// Starts the next step and returns how long it takes, or nil if there is nothing to do.
    mutating func startStep(_ queries: inout [QueryProgress]) -> Interval? {
        guard let step = batch.startStep() else { return nil }
        for key in step.preempted {
            queries[key.rawValue].record.preemptions += 1
            guard let plan = queries[key.rawValue].plannedFinish.take() else { continue }
            queries[key.rawValue].remainingTokens = plan.decode - decodes
        }
        return profile.duration(of: step.workload)
    }

    /// Ends the step in progress and returns how many queries finished with it.
    mutating func completeStep(at now: Instant, _ queries: inout [QueryProgress]) -> Int {
        guard let step = batch.stepInProgress else { preconditionFailure("no step is in progress") }
        var finished: [SequenceKey] = []
        if !step.decodes.isEmpty {
            decodes += 1
            takeDueFinishes(into: &finished, &queries)
        }
        for chunk in step.chunks where chunk.completesPrompt {
            if completePrompt(of: chunk.sequence.rawValue, at: now, &queries) { finished.append(chunk.sequence) }
        }
        for key in finished { queries[key.rawValue].record.finish = now }
        batch.completeStep(finished: finished)
        completedSteps += 1
        return finished.count
    }

    private mutating func takeDueFinishes(into finished: inout [SequenceKey], _ queries: inout [QueryProgress]) {
        while let plan = plannedFinishes.min, plan.decode <= decodes {
            plannedFinishes.removeMin()
            guard queries[plan.query].plannedFinish == plan else { continue }
            queries[plan.query].plannedFinish = nil
            queries[plan.query].remainingTokens = 0
            finished.append(SequenceKey(rawValue: plan.query))
        }
    }

    /// Gives a query the token that its prefill yields and returns whether it was the last.
    private mutating func completePrompt(of index: Int, at now: Instant, _ queries: inout [QueryProgress]) -> Bool {
        queries[index].remainingTokens -= 1
        if queries[index].record.firstToken == nil { queries[index].record.firstToken = now }
        let remaining = queries[index].remainingTokens
        guard remaining > 0 else { return true }
        let plan = PlannedFinish(decode: decodes + remaining, order: started, query: index)
        started += 1
        plannedFinishes.insert(plan)
        queries[index].plannedFinish = plan
        return false
    }
}
