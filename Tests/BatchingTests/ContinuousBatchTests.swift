import Batching
import ServingModel
import Testing

@Suite("Continuous batching")
struct ContinuousBatchTests {
    @Test("An empty batch has no step", arguments: BatchingMode.allCases)
    func emptyBatchIsIdle(mode: BatchingMode) {
        var batch = ContinuousBatch(mode, blocks: 100)
        #expect(batch.startStep() == nil)
        #expect(batch.isEmpty)
    }

    @Test("A single query is prefilled and decodes to its end", arguments: BatchingMode.allCases)
    func singleQuery(mode: BatchingMode) throws {
        var batch = ContinuousBatch(mode, blocks: 100)
        batch.enqueue(key(1), promptTokens: 31)
        let prefill = try batch.requireStep()
        #expect(prefill.chunks.map(\.completesPrompt) == [true])
        #expect(prefill.workload.prefillTokens == 31)
        #expect(prefill.workload.prefillSquares == 961)
        #expect(batch.blocks.free == 98)
        batch.completeStep()
        #expect(batch.contextTokens == 32)

        let decode = try batch.requireStep()
        #expect(decode.workload == StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 32))
        #expect(batch.blocks.free == 97, "the context filled two blocks, so its next token needs a third")
        batch.completeStep(finished: [key(1)])
        #expect(batch.isEmpty)
        #expect(batch.blocks.free == 100)
    }

    @Test("The watermark keeps blocks free, except for the first of an empty worker", arguments: BatchingMode.allCases)
    func watermark(mode: BatchingMode) throws {
        var batch = ContinuousBatch(mode, blocks: 10, watermark: 0.25, batched: 1000, chunk: 1000)
        batch.enqueue(key(1), promptTokens: 100)
        batch.enqueue(key(2), promptTokens: 15)
        batch.enqueue(key(3), promptTokens: 15)
        let step = try batch.requireStep()
        // 7 of 10 blocks, then 1; the third would leave 1 free where 2 must stay.
        #expect(step.chunks.map(\.sequence) == [key(1), key(2)])
        #expect(batch.blocks.free == 2)

        var large = ContinuousBatch(mode, blocks: 10, watermark: 0.25, chunk: 1000)
        large.enqueue(key(1), promptTokens: 159)
        #expect(try large.requireStep().chunks.count == 1)
        #expect(large.blocks.free == 0)
    }

    @Test("A head that does not fit holds up those behind it", arguments: BatchingMode.allCases)
    func headOfLine(mode: BatchingMode) throws {
        var batch = ContinuousBatch(mode, blocks: 10, chunk: 1000)
        batch.enqueue(key(1), promptTokens: 100)
        batch.enqueue(key(2), promptTokens: 64)
        batch.enqueue(key(3), promptTokens: 1)
        #expect(try batch.requireStep().chunks.map(\.sequence) == [key(1)])
        #expect(batch.waitingCount == 2)
    }

    @Test("No more sequences are resident than there are seats", arguments: BatchingMode.allCases)
    func seats(mode: BatchingMode) throws {
        var batch = ContinuousBatch(mode, blocks: 100, sequences: 2)
        for number in 1...3 { batch.enqueue(key(number), promptTokens: 4) }
        #expect(try batch.requireStep().chunks.count == 2)
        batch.completeStep()
        #expect(try batch.requireStep().workload.kind == .decode)
        batch.completeStep(finished: [key(1)])
        #expect(try batch.requireStep().chunks.map(\.sequence) == [key(3)])
    }

    @Test("A prefill step holds at most the cap's tokens, but always one prompt")
    func tokenCap() throws {
        var batch = ContinuousBatch(.prefillPriority, blocks: 100, batched: 50)
        for tokens in [200, 20, 30, 1] { batch.enqueue(key(tokens), promptTokens: tokens) }
        #expect(try batch.requireStep().workload.prefillTokens == 200)
        batch.completeStep(finished: [key(200)])
        let second = try batch.requireStep()
        #expect(second.chunks.map(\.sequence) == [key(20), key(30)])
        #expect(second.workload.prefillSquares == 1300)
    }

    @Test("Prefills go first and running sequences stand still")
    func prefillsGoFirst() throws {
        var batch = ContinuousBatch(.prefillPriority, blocks: 100)
        batch.enqueue(key(1), promptTokens: 10)
        _ = batch.startStep()
        batch.completeStep()
        batch.enqueue(key(2), promptTokens: 10)
        let step = try batch.requireStep()
        #expect(step.workload.kind == .prefill)
        #expect(step.decodes.isEmpty)
        batch.completeStep()
        #expect(batch.contextTokens == 22)
        #expect(try batch.requireStep().decodes == [key(1), key(2)])
    }

    @Test("Chunks share the budget that the decodes leave")
    func chunkBudget() throws {
        var batch = ContinuousBatch(.chunked, blocks: 100, chunk: 10)
        batch.enqueue(key(1), promptTokens: 4)
        _ = batch.startStep()
        batch.completeStep()
        batch.enqueue(key(2), promptTokens: 12)
        batch.enqueue(key(3), promptTokens: 12)

        let first = try batch.requireStep()
        #expect(first.decodes == [key(1)])
        #expect(first.chunks.map(\.sequence) == [key(2)])
        #expect(first.chunks.map(\.end) == [9])
        #expect(first.workload.kind == .mixed)
        batch.completeStep()

        let second = try batch.requireStep()
        #expect(second.chunks.map(\.start) == [9, 0])
        #expect(second.chunks.map(\.end) == [12, 6])
        #expect(second.chunks.map(\.completesPrompt) == [true, false])
        #expect(second.workload.prefillSquares == 144 - 81 + 36)
        batch.completeStep()
        #expect(batch.runningCount == 2)
    }
}
