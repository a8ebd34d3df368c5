import EngineInterface
import ServingModel

@testable import ReferenceEngine

/// Drives an engine the way a worker does, one step at a time.
struct EngineDriver {
    let engine: ReferenceEngine

    /// What became of one sequence.
    struct Answer: Equatable {
        var tokens: [Int32] = []
        var texts: [String] = []
        var finish: FinishReason?

        var text: String { texts.joined() }
    }

    func request(
        _ id: Int = 1,
        _ input: PromptInput = .tokens([1, 2, 3, 4, 5]),
        sampling: Sampling = Sampling(),
        maxTokens: Int = 24,
        resumed: [Int32] = []
    ) -> SequenceRequest {
        SequenceRequest(
            id: SequenceID(rawValue: id),
            input: input,
            sampling: sampling,
            defaultSeed: 99,
            maxTokens: maxTokens,
            resumedTokens: resumed
        )
    }

    func step(
        preempted: [Int] = [],
        decodes: [Int] = [],
        chunks: [EngineStep.Chunk] = []
    ) throws -> [SequenceOutput] {
        try engine.step(
            EngineStep(
                preempted: preempted.map(SequenceID.init),
                decodes: decodes.map(SequenceID.init),
                chunks: chunks,
                workload: StepWorkload(kind: .mixed)
            )
        )
    }

    func chunk(_ id: Int, _ range: Range<Int>, completes: Bool = true) -> EngineStep.Chunk {
        EngineStep.Chunk(
            sequence: SequenceID(rawValue: id),
            start: range.lowerBound,
            end: range.upperBound,
            completesPrompt: completes
        )
    }

    /// Runs one request alone until it finishes.
    ///
    /// A prefill chunk has at most `chunkTokens`; `preemptions` are the output counts at which the sequence loses its keys
    /// and values once.
    func run(
        _ request: SequenceRequest,
        chunkTokens: Int = 1000,
        preemptions: Set<Int> = []
    ) throws -> Answer {
        let id = request.id.rawValue
        var answer = Answer()
        let prompt = try engine.admit(request)
        defer { engine.release(request.id) }
        let known = prompt + request.resumedTokens.count
        try prefill(id, known, chunkTokens: chunkTokens, preempting: false, into: &answer)
        while answer.finish == nil {
            if preemptions.contains(answer.tokens.count) {
                let count = known + answer.tokens.count
                try prefill(id, count, chunkTokens: chunkTokens, preempting: true, into: &answer)
            } else {
                append(try step(decodes: [id]), to: &answer)
            }
        }
        return answer
    }

    private func prefill(
        _ id: Int,
        _ count: Int,
        chunkTokens: Int,
        preempting: Bool,
        into answer: inout Answer
    ) throws {
        for start in stride(from: 0, to: count, by: chunkTokens) {
            let end = min(start + chunkTokens, count)
            let outputs = try step(
                preempted: preempting && start == 0 ? [id] : [],
                chunks: [chunk(id, start..<end, completes: end == count)]
            )
            append(outputs, to: &answer)
        }
    }

    private func append(_ outputs: [SequenceOutput], to answer: inout Answer) {
        for output in outputs {
            answer.tokens.append(output.token)
            answer.texts.append(output.text)
            answer.finish = output.finish
        }
    }
}
