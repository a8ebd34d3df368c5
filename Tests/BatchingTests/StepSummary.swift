import Batching
import ServingModel

/// A step, from either twin, in a form that can be compared and printed.
struct StepSummary: Hashable {
    struct Chunk: Hashable {
        var sequence: SequenceKey
        var start: Int
        var end: Int
        var completesPrompt: Bool
    }

    var preempted: [SequenceKey] = []
    var decodes: [SequenceKey] = []
    var chunks: [Chunk] = []
    var workload: StepWorkload

    init(_ step: BatchStep) {
        preempted = step.preempted
        decodes = step.decodes
        chunks = step.chunks.map {
            Chunk(sequence: $0.sequence, start: $0.start, end: $0.end, completesPrompt: $0.completesPrompt)
        }
        workload = step.workload
    }

    init(kind: StepWorkload.Kind, preempted: [SequenceKey] = [], decoding: [NaiveBatch.Sequence] = []) {
        self.preempted = preempted
        decodes = decoding.sorted { $0.admission < $1.admission }.map(\.key)
        workload = StepWorkload(
            kind: kind,
            decodeSequences: decoding.count,
            contextTokens: decoding.reduce(0) { $0 + $1.tokens }
        )
    }

    mutating func add(_ sequence: NaiveBatch.Sequence, upTo end: Int) {
        let start = sequence.prefilled
        chunks.append(
            Chunk(sequence: sequence.key, start: start, end: end, completesPrompt: end == sequence.tokens)
        )
        workload.prefillTokens += end - start
        workload.prefillSquares += end * end - start * start
    }
}
