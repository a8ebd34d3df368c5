import Batching
import ServingModel
import Testing

/// Random arrivals, steps and cancellations, done to a batch and to its naive twin alike.
struct TwinScenario {
    private(set) var tokensEmitted = 0
    private(set) var preemptions = 0
    private(set) var preemptedPrefills = 0
    private(set) var cancelledInStep = 0

    private var generator: SeededGenerator
    /// The longest prompt is this part of the KV cache.
    private let promptShare: Int
    private var batch: ContinuousBatch
    private var twin: NaiveBatch
    /// Length of the answer, by key.
    private var outputTokens: [Int] = []
    /// How often a sequence left, by key.
    private var departures: [Int] = []

    init(mode: BatchingMode, seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        promptShare = [2, 4, 16].randomElement(using: &generator) ?? 2
        var cache = LatencyProfile.KVCache()
        cache.blockTokens = [1, 3, 16].randomElement(using: &generator) ?? 16
        cache.capacityTokens = cache.blockTokens * Int.random(in: 12...60, using: &generator)
        cache.watermark = [0, 0.01, 0.1, 0.3].randomElement(using: &generator) ?? 0
        var limits = LatencyProfile.Limits()
        limits.maximumSequences = Int.random(in: 1...16, using: &generator)
        limits.maximumBatchedTokens = Int.random(in: 1...200, using: &generator)
        limits.chunkTokens = Int.random(in: 1...([8, 60].randomElement(using: &generator) ?? 60), using: &generator)
        batch = ContinuousBatch(mode: mode, kvCache: cache, limits: limits)
        twin = NaiveBatch(mode: mode, cache: cache, limits: limits)
    }

    var everyoneLeftOnce: Bool { batch.isEmpty && departures.allSatisfy { $0 == 1 } }

    /// Does one thing at random and compares.
    mutating func act() {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0, 1: arrive()
        case 2: cancelSomeone()
        default: step()
        }
        compare()
    }

    /// Steps until nothing is left; a run that takes longer than it can is ended.
    mutating func drain() {
        var left = 100_000
        while !batch.isEmpty, left > 0 {
            step()
            compare()
            left -= 1
        }
    }

    private mutating func arrive() {
        let room = batch.blocks.total * batch.blocks.blockTokens
        guard batch.count < 60 else { return }
        let prompt = Int.random(in: 1...max(1, room / promptShare), using: &generator)
        let output = Int.random(in: 1...max(1, room / 2), using: &generator)
        let resumes = output > 1 && Int.random(in: 0..<4, using: &generator) == 0
        let generated = resumes ? Int.random(in: 1..<output, using: &generator) : 0
        #expect(batch.canEverFit(promptTokens: prompt, maxTokens: output))
        let key = SequenceKey(rawValue: outputTokens.count)
        outputTokens.append(output)
        departures.append(0)
        batch.enqueue(key, promptTokens: prompt, generatedTokens: generated)
        twin.enqueue(key, promptTokens: prompt, generatedTokens: generated)
    }

    private mutating func cancelSomeone() {
        guard !outputTokens.isEmpty else { return }
        let recent = max(0, outputTokens.count - 30)..<outputTokens.count
        let key = SequenceKey(rawValue: Int.random(in: recent, using: &generator))
        let result = batch.cancel(key)
        expectEqual(result, twin.cancel(key))
        if result == .removed { departures[key.rawValue] += 1 }
        if result == .atStepEnd { cancelledInStep += 1 }
    }

    private mutating func step() {
        if batch.stepInProgress == nil {
            let prefillingBefore = batch.prefillingCount
            let step = batch.startStep()
            expectEqual(step.map(StepSummary.init), twin.startStep())
            preemptions += step?.preempted.count ?? 0
            preemptedPrefills += prefillingBefore - min(prefillingBefore, batch.prefillingCount)
            return
        }
        let lengths = outputTokens
        let (finished, cancelled) = twin.completeStep { key, generated in generated == lengths[key.rawValue] }
        let step = batch.stepInProgress
        tokensEmitted += (step?.decodes.count ?? 0) + (step?.chunks.count(where: \.completesPrompt) ?? 0)
        let order = (step?.decodes ?? []) + (step?.chunks.map(\.sequence) ?? [])
        let left = batch.completeStep(finished: order.filter(finished.contains))
        expectEqual(left.map(\.rawValue).sorted(), cancelled.map(\.rawValue).sorted())
        for key in finished + cancelled { departures[key.rawValue] += 1 }
    }

    private func compare() {
        batch.checkInvariants()
        let mine = [
            batch.blocks.free, batch.waitingCount, batch.prefillingCount, batch.runningCount, batch.waitingTokens,
            batch.contextTokens,
        ]
        let naive = [
            twin.free, twin.waiting.count, twin.prefilling.count, twin.running.count,
            twin.waiting.reduce(0) { $0 + $1.tokens }, twin.running.reduce(0) { $0 + $1.tokens },
        ]
        expectEqual(mine, naive)
    }

    /// As `#expect`, which is too slow to be asked a million times.
    private func expectEqual<Value: Equatable>(
        _ mine: Value,
        _ naive: Value,
        at location: SourceLocation = #_sourceLocation
    ) {
        guard mine != naive else { return }
        Issue.record("\(mine) is not the twin's \(naive)", sourceLocation: location)
    }
}
