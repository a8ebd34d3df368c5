import Batching
import ServingModel
import Testing

@Suite("Preemption, resumption and cancellation")
struct PreemptionTests {
    @Test("The youngest is preempted, goes to the head of the queue and is prefilled with its output")
    func preemptsTheYoungest() throws {
        var batch = ContinuousBatch(.prefillPriority, blocks: 4)
        batch.enqueue(key(1), promptTokens: 31)
        batch.enqueue(key(2), promptTokens: 31)
        _ = batch.startStep()
        batch.completeStep()
        batch.enqueue(key(3), promptTokens: 1)

        let decode = try batch.requireStep()
        #expect(decode.preempted == [key(2)])
        #expect(decode.decodes == [key(1)])
        #expect(batch.waitingTokens == 33, "the preempted sequence's token came with it")
        batch.completeStep(finished: [key(1)])

        let prefill = try batch.requireStep()
        #expect(prefill.chunks.map(\.sequence) == [key(2), key(3)])
        #expect(prefill.chunks.map(\.end) == [32, 1])
    }

    @Test("A prefilling sequence is preempted before running ones and begins again; nothing is let in beside it")
    func preemptsPrefilling() throws {
        var batch = ContinuousBatch(.chunked, blocks: 8, chunk: 20)
        batch.enqueue(key(1), promptTokens: 15)
        _ = batch.startStep()
        batch.completeStep()
        batch.enqueue(key(2), promptTokens: 100)
        batch.enqueue(key(3), promptTokens: 1)
        // The decode takes the second block; the last six leave one short of the seven that the prompt needs.
        #expect(try batch.requireStep().workload.kind == .decode)
        batch.completeStep()
        batch.checkInvariants()

        var tight = ContinuousBatch(.chunked, blocks: 3, chunk: 20)
        tight.enqueue(key(1), promptTokens: 14)
        _ = tight.startStep()
        tight.completeStep()
        tight.enqueue(key(2), promptTokens: 31)
        #expect(try tight.requireStep().chunks.map(\.end) == [19])
        tight.completeStep()
        let step = try tight.requireStep()
        #expect(step.preempted == [key(2)])
        #expect(step.chunks.isEmpty)
        #expect(step.decodes == [key(1)])
        tight.completeStep(finished: [key(1)])
        #expect(try tight.requireStep().chunks.map(\.start) == [0])
    }

    @Test("A sequence from another worker is prefilled with its output, then decodes", arguments: BatchingMode.allCases)
    func resumes(mode: BatchingMode) throws {
        var batch = ContinuousBatch(mode, blocks: 10)
        batch.enqueue(key(1), promptTokens: 20, generatedTokens: 12)
        let step = try batch.requireStep()
        #expect(step.chunks.map(\.end) == [32])
        #expect(batch.blocks.free == 7)
        batch.completeStep()
        #expect(batch.contextTokens == 33)
    }

    @Test("What could not run even alone is told apart beforehand")
    func canEverFit() {
        let batch = ContinuousBatch(.prefillPriority, blocks: 10)
        #expect(batch.canEverFit(promptTokens: 100, maxTokens: 60))
        #expect(!batch.canEverFit(promptTokens: 100, maxTokens: 61))
        #expect(batch.canEverFit(promptTokens: 159, maxTokens: 1))
        #expect(!batch.canEverFit(promptTokens: 160, maxTokens: 1))
        #expect(!batch.canEverFit(promptTokens: .max, maxTokens: .max))
    }

    @Test("A waiting sequence is cancelled at once, also during a step", arguments: BatchingMode.allCases)
    func cancelsWaiting(mode: BatchingMode) {
        var batch = ContinuousBatch(mode, blocks: 2)
        batch.enqueue(key(1), promptTokens: 20)
        batch.enqueue(key(2), promptTokens: 20)
        _ = batch.startStep()
        #expect(batch.cancel(key(2)) == .removed)
        #expect(batch.cancel(key(2)) == .unknown)
        #expect(batch.waitingTokens == 0)
        #expect(batch.completeStep().isEmpty)
        #expect(batch.count == 1)
    }

    @Test("A running sequence is cancelled at once between steps", arguments: BatchingMode.allCases)
    func cancelsRunning(mode: BatchingMode) {
        var batch = ContinuousBatch(mode, blocks: 10)
        batch.enqueue(key(1), promptTokens: 20)
        _ = batch.startStep()
        batch.completeStep()
        #expect(batch.cancel(key(1)) == .removed)
        #expect(batch.isEmpty)
        #expect(batch.blocks.free == 10)
    }

    @Test("A sequence in a step is cancelled at the step's end", arguments: BatchingMode.allCases)
    func cancelsInStep(mode: BatchingMode) {
        var batch = ContinuousBatch(mode, blocks: 10)
        for number in 1...3 { batch.enqueue(key(number), promptTokens: 20) }
        _ = batch.startStep()
        #expect(batch.cancel(key(2)) == .atStepEnd)
        #expect(batch.cancel(key(2)) == .unknown)
        #expect(batch.count == 3)
        #expect(batch.completeStep(finished: [key(3)]) == [key(2)])
        #expect(batch.runningCount == 1)
        batch.checkInvariants()
    }

    @Test("A sequence that finishes in the step in which it was cancelled has finished")
    func finishWinsOverCancel() {
        var batch = ContinuousBatch(.prefillPriority, blocks: 10)
        batch.enqueue(key(1), promptTokens: 20)
        _ = batch.startStep()
        #expect(batch.cancel(key(1)) == .atStepEnd)
        #expect(batch.completeStep(finished: [key(1)]).isEmpty)
        #expect(batch.isEmpty)
    }

    @Test("Sequences that a prefill step leaves standing, or half prefilled, leave at its end too")
    func cancelsIdleResidents() {
        var standing = ContinuousBatch(.prefillPriority, blocks: 10)
        standing.enqueue(key(1), promptTokens: 20)
        _ = standing.startStep()
        standing.completeStep()
        standing.enqueue(key(2), promptTokens: 20)
        _ = standing.startStep()
        #expect(standing.cancel(key(1)) == .atStepEnd)
        #expect(standing.completeStep() == [key(1)])
        standing.checkInvariants()

        var half = ContinuousBatch(.chunked, blocks: 10, chunk: 8)
        half.enqueue(key(1), promptTokens: 20)
        _ = half.startStep()
        #expect(half.cancel(key(1)) == .atStepEnd)
        #expect(half.completeStep() == [key(1)])
        #expect(half.blocks.free == 10)
    }

    @Test("A step that failed is undone by cancelling what was in it")
    func failedStep() throws {
        var batch = ContinuousBatch(.chunked, blocks: 10)
        for number in 1...3 { batch.enqueue(key(number), promptTokens: 20) }
        let step = try batch.requireStep()
        for chunk in step.chunks { #expect(batch.cancel(chunk.sequence) == .atStepEnd) }
        #expect(batch.completeStep() == [key(1), key(2), key(3)])
        #expect(batch.isEmpty)
    }
}
