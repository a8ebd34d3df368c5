package import Batching
internal import HeapModule
package import ServingModel

/// A worker in virtual time: production's batching, with steps that take as long as the profile says.
///
/// Queries are named by their index in the trace. Complexity of a step: O(log n) for each prompt completed and each
/// query finished; decodes cost nothing per query.
package struct SimulatedWorker: Sendable {
    /// A worker's life; it goes forward only.
    package enum State: Hashable, Sendable {
        /// It costs something already, and serves nothing yet.
        case starting(since: Instant)
        case active
        /// It takes nothing new, and leaves when it is empty.
        case draining
        /// Failed, drained, or cancelled while it started.
        case gone
    }

    package let profile: LatencyProfile
    /// What it registers with.
    package let believed: LatencyProfile
    package private(set) var batch: ContinuousBatch
    package internal(set) var state: State
    /// Engine steps completed.
    package private(set) var completedSteps = 0
    /// When the step in progress ends.
    private(set) var stepEnd = Instant.zero
    /// Queries dispatched to it that are not in its queue yet.
    var underway = 0

    /// Whether it only prefills, and hands its queries over after their first token.
    private let handsOver: Bool
    private let noise: StepTimeNoise?
    private var noiseGenerator: SeededGenerator
    /// Steps completed that decoded.
    private var decodes = 0
    /// Queries that have begun to run, preempted ones each time.
    private var started = 0
    /// Plans of running queries, and fallen ones that were not met yet.
    private var plannedFinishes = Heap<PlannedFinish>()
    private var duration = Interval.zero

    init(
        profile: LatencyProfile,
        believed: LatencyProfile? = nil,
        mode: BatchingMode,
        state: State = .active,
        handsOver: Bool = false,
        keepsPrefixes: Bool = false,
        noise: StepTimeNoise? = nil,
        stream: Int = 0
    ) {
        self.profile = profile
        self.believed = believed ?? profile
        self.state = state
        self.handsOver = handsOver
        self.noise = noise
        noiseGenerator = noise?.generator(stream: stream) ?? SeededGenerator(seed: 0)
        batch = ContinuousBatch(
            mode: mode,
            kvCache: profile.kvCache,
            limits: profile.limits,
            keepsPrefixes: keepsPrefixes
        )
    }

    package var isBusy: Bool { batch.stepInProgress != nil }
    /// Queries in its hands or on their way.
    package var load: Int { batch.count + underway }

    /// Whether a query could get a token here.
    ///
    /// It may outgrow the worker later, and is handed back then.
    func canTake(_ query: QueryProgress) -> Bool {
        batch.canEverFit(promptTokens: query.contextTokens, maxTokens: 1)
    }

    /// Gives up the query that has outgrown the KV cache, if there is one.
    mutating func handBackOutgrown(_ queries: inout [QueryProgress]) -> Int? {
        guard let key = batch.outgrown, batch.cancel(key) == .removed else { return nil }
        if let plan = queries[key.rawValue].plannedFinish.take() {
            queries[key.rawValue].remainingTokens = plan.decode - decodes
        }
        return key.rawValue
    }

    /// Takes a query into the queue.
    mutating func enqueue(_ index: Int, _ progress: QueryProgress) {
        let key = SequenceKey(rawValue: index)
        if progress.isPrefilled {
            batch.enqueuePrefilled(key, contextTokens: progress.contextTokens)
        } else {
            let generated = progress.generatedTokens
            batch.enqueue(
                key,
                promptTokens: progress.query.inputTokens,
                generatedTokens: generated,
                blocks: batch.keepsPrefixes ? progress.query.blocks : .none
            )
        }
    }

    /// Starts the next step and returns how long it takes, or nil if there is nothing to do.
    mutating func startStep(_ queries: inout [QueryProgress], at now: Instant) -> Interval? {
        guard let step = batch.startStep() else { return nil }
        for key in step.imported { planFinish(of: key.rawValue, &queries) }
        for key in step.preempted {
            queries[key.rawValue].record.preemptions += 1
            guard let plan = queries[key.rawValue].plannedFinish.take() else { continue }
            queries[key.rawValue].remainingTokens = plan.decode - decodes
        }
        duration = profile.duration(of: step.workload)
        if let noise { duration = noise.apply(to: duration, &noiseGenerator) }
        stepEnd = now + duration
        return duration
    }

    /// What a step did, by the queries' indices.
    struct StepOutcome {
        let workload: StepWorkload
        let duration: Interval
        /// Queries prefilled elsewhere that ran from this step on, in order.
        let imported: [Int]
        /// Running queries that lost their KV memory before it, youngest first.
        let preempted: [Int]
        /// Sequences that were running meanwhile, whether or not they got a token.
        let running: Int
        /// Queries whose prompts were completed, in order.
        var started: [Int] = []
        /// Queries that got their last token, in the step's order.
        var finished: [Int] = []
    }

    /// Ends the step in progress.
    mutating func completeStep(at now: Instant, _ queries: inout [QueryProgress]) -> StepOutcome {
        guard let step = batch.stepInProgress else { preconditionFailure("no step is in progress") }
        var outcome = StepOutcome(
            workload: step.workload,
            duration: duration,
            imported: step.imported.map(\.rawValue),
            preempted: step.preempted.map(\.rawValue),
            running: batch.runningCount
        )
        if !step.decodes.isEmpty {
            decodes += 1
            takeDueFinishes(into: &outcome.finished, &queries)
        }
        for chunk in step.chunks where chunk.completesPrompt {
            outcome.started.append(chunk.sequence.rawValue)
            if completePrompt(of: chunk.sequence.rawValue, at: now, &queries) {
                outcome.finished.append(chunk.sequence.rawValue)
            }
        }
        for index in outcome.finished { queries[index].record.finish = now }
        let leaving = handsOver ? outcome.started : outcome.finished
        batch.completeStep(finished: leaving.map(SequenceKey.init(rawValue:)))
        completedSteps += 1
        return outcome
    }

    private mutating func takeDueFinishes(into finished: inout [Int], _ queries: inout [QueryProgress]) {
        while let plan = plannedFinishes.min, plan.decode <= decodes {
            plannedFinishes.removeMin()
            guard queries[plan.query].plannedFinish == plan else { continue }
            queries[plan.query].plannedFinish = nil
            queries[plan.query].remainingTokens = 0
            finished.append(plan.query)
        }
    }

    /// Gives a query the token that its prefill yields and returns whether it was the last.
    private mutating func completePrompt(of index: Int, at now: Instant, _ queries: inout [QueryProgress]) -> Bool {
        queries[index].remainingTokens -= 1
        if queries[index].record.firstToken == nil { queries[index].record.firstToken = now }
        guard queries[index].remainingTokens > 0 else { return true }
        if !handsOver { planFinish(of: index, &queries) }
        return false
    }

    private mutating func planFinish(of index: Int, _ queries: inout [QueryProgress]) {
        let plan = PlannedFinish(decode: decodes + queries[index].remainingTokens, order: started, query: index)
        started += 1
        plannedFinishes.insert(plan)
        queries[index].plannedFinish = plan
    }

    /// Dies, step in progress and all.
    ///
    /// - Returns: the queries it had, with the tokens they got before that step.
    mutating func fail(_ queries: inout [QueryProgress]) -> [Int] {
        let lost = batch.keys.map(\.rawValue)
        for index in lost {
            guard let plan = queries[index].plannedFinish.take() else { continue }
            queries[index].remainingTokens = plan.decode - decodes
        }
        batch = ContinuousBatch(
            mode: batch.mode,
            kvCache: profile.kvCache,
            limits: profile.limits,
            keepsPrefixes: batch.keepsPrefixes
        )
        plannedFinishes = Heap()
        state = .gone
        return lost
    }
}
