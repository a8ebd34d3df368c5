import Batching
import ServingModel

/// The worker model written down sentence by sentence, with nothing kept that can be counted: the twin to compare with.
///
/// Unlike the real batch it keeps each sequence's tokens and admission number, and finds blocks and victims by looking
/// at everything.
struct NaiveBatch {
    struct Sequence {
        var key: SequenceKey
        var inputTokens: Int
        var generated: Int
        var admission = 0
        var prefilled = 0

        /// `p` and `l_in + g`.
        var tokens: Int { inputTokens + generated }
    }

    let mode: BatchingMode
    let cache: LatencyProfile.KVCache
    let limits: LatencyProfile.Limits
    var waiting: [Sequence] = []
    var prefilling: [Sequence] = []
    var running: [Sequence] = []
    var cancelled: [SequenceKey] = []
    var step: StepSummary?
    var admissions = 0

    var total: Int { cache.capacityTokens / cache.blockTokens }
    var watermark: Int { Int((cache.watermark * Double(total)).rounded(.down)) }

    func blocks(_ tokens: Int) -> Int {
        Int((Double(tokens) / Double(cache.blockTokens)).rounded(.up))
    }

    var free: Int {
        let ahead = step.map { $0.decodes.isEmpty ? 0 : 1 } ?? 0
        let decoding = running.reduce(0) { $0 + blocks($1.tokens + ahead) }
        return total - decoding - prefilling.reduce(0) { $0 + blocks($1.tokens + 1) }
    }

    mutating func enqueue(_ key: SequenceKey, promptTokens: Int, generatedTokens: Int) {
        waiting.append(Sequence(key: key, inputTokens: promptTokens, generated: generatedTokens))
    }

    mutating func cancel(_ key: SequenceKey) -> ContinuousBatch.Cancellation {
        if let index = waiting.firstIndex(where: { $0.key == key }) {
            waiting.remove(at: index)
            return .removed
        }
        guard (prefilling + running).contains(where: { $0.key == key }), !cancelled.contains(key) else {
            return .unknown
        }
        guard step == nil else {
            cancelled.append(key)
            return .atStepEnd
        }
        prefilling.removeAll { $0.key == key }
        running.removeAll { $0.key == key }
        return .removed
    }

    mutating func startStep() -> StepSummary? {
        step = mode == .prefillPriority ? startPrefillPriority() : startChunked()
        return step
    }

    /// Completes the step; `isFinished` is asked for each token, with the output's length including it.
    mutating func completeStep(
        isFinished: (SequenceKey, Int) -> Bool
    ) -> (finished: [SequenceKey], cancelled: [SequenceKey]) {
        var finished: [SequenceKey] = []
        var left: [SequenceKey] = []
        guard let step else { return ([], []) }
        if !step.decodes.isEmpty {
            for index in running.indices { running[index].generated += 1 }
            finished += running.filter { isFinished($0.key, $0.generated) }.map(\.key)
            running.removeAll { isFinished($0.key, $0.generated) }
        }
        for chunk in step.chunks {
            let index = prefilling.firstIndex { $0.key == chunk.sequence } ?? -1
            prefilling[index].prefilled = chunk.end
            guard chunk.end == prefilling[index].tokens else { continue }
            var sequence = prefilling.remove(at: index)
            sequence.generated += 1
            if isFinished(sequence.key, sequence.generated) {
                finished.append(sequence.key)
            } else {
                running.append(sequence)
            }
        }
        for key in cancelled where (running + prefilling).contains(where: { $0.key == key }) {
            left.append(key)
            running.removeAll { $0.key == key }
            prefilling.removeAll { $0.key == key }
        }
        cancelled = []
        self.step = nil
        return (finished, left)
    }
}

extension NaiveBatch {
    private mutating func startPrefillPriority() -> StepSummary? {
        var batch: [Sequence] = []
        while let head = waiting.first {
            if running.count + batch.count + 1 > limits.maximumSequences { break }
            let tokens = batch.reduce(0) { $0 + $1.tokens }
            if !batch.isEmpty && tokens + head.tokens > limits.maximumBatchedTokens { break }
            let floor = running.isEmpty && batch.isEmpty ? 0 : watermark
            if free - blocks(head.tokens + 1) < floor { break }
            admitHead()
            batch = prefilling
        }
        if !batch.isEmpty {
            var summary = StepSummary(kind: .prefill)
            for sequence in batch { summary.add(sequence, upTo: sequence.tokens) }
            return summary
        }
        if running.isEmpty { return nil }
        return StepSummary(kind: .decode, preempted: preemptForDecode(), decoding: running)
    }

    private mutating func startChunked() -> StepSummary? {
        let preempted = running.isEmpty ? [] : preemptForDecode()
        var summary = StepSummary(kind: .decode, preempted: preempted, decoding: running)
        var budget = limits.chunkTokens - running.count
        // The blocks for the decodes are reserved before anything is admitted.
        let reserved = running.count { $0.tokens % cache.blockTokens == 0 }
        for sequence in prefilling where budget > 0 {
            let end = min(sequence.tokens, sequence.prefilled + budget)
            summary.add(sequence, upTo: end)
            budget -= end - sequence.prefilled
        }
        while preempted.isEmpty, budget > 0, let head = waiting.first {
            if running.count + prefilling.count + 1 > limits.maximumSequences { break }
            let floor = running.isEmpty && prefilling.isEmpty ? 0 : watermark
            if free - reserved - blocks(head.tokens + 1) < floor { break }
            admitHead()
            let end = min(head.tokens, budget)
            summary.add(head, upTo: end)
            budget -= end
        }
        if summary.chunks.isEmpty { return running.isEmpty ? nil : summary }
        summary.workload.kind = .mixed
        return summary
    }

    private mutating func admitHead() {
        var head = waiting.removeFirst()
        head.admission = admissions
        admissions += 1
        prefilling.append(head)
    }

    private mutating func preemptForDecode() -> [SequenceKey] {
        var preempted: [SequenceKey] = []
        while free < running.count(where: { $0.tokens % cache.blockTokens == 0 }) {
            let resident = running + prefilling
            guard var victim = resident.max(by: { $0.admission < $1.admission }) else { break }
            victim.prefilled = 0
            running.removeAll { $0.key == victim.key }
            prefilling.removeAll { $0.key == victim.key }
            waiting.insert(victim, at: 0)
            preempted.append(victim.key)
        }
        return preempted
    }
}
