internal import Batching
internal import EngineInterface
internal import Messages
internal import RecordTables
internal import ServingModel

extension WorkerMachine {
    mutating func admitted(_ admission: EngineTurnResult.Admission) {
        guard let place = sequences.place(of: admission.sequence) else { return }
        switch admission.promptTokens {
        case .failure(let status):
            fail(admission.sequence, status)
        case .success(let tokens):
            sequences[place: place].isAdmitted = true
            sequences[place: place].inputTokens = tokens
            let resumed = sequences[place: place].request.resumedTokens.count
            if sequences[place: place].isCancelled {
                forget(admission.sequence)
            } else if tokens < 1 {
                let message = "the engine counts \(tokens) prompt tokens"
                fail(admission.sequence, Status(.internalError, .engineFailed, message))
            } else if !batch.canEverFit(promptTokens: tokens, maxTokens: resumed + 1) {
                let message =
                    "\(tokens + resumed) tokens and one more exceed the worker's KV cache of \(kvTokens) tokens"
                fail(admission.sequence, Status(.outOfRange, .promptTooLong, message))
            } else if !sequences[place: place].kvCache.isEmpty {
                batch.enqueuePrefilled(admission.sequence.key, contextTokens: tokens + resumed)
            } else {
                batch.enqueue(
                    admission.sequence.key,
                    promptTokens: tokens,
                    generatedTokens: resumed,
                    blocks: admission.blocks
                )
            }
        }
    }

    /// Gives back the query that has outgrown the KV cache, if there is one: the broker knows whether there is a larger.
    ///
    /// Most answers are far shorter than they may be, so whether they would fit at their longest is not asked before.
    mutating func handBackOutgrown() {
        guard let key = batch.outgrown, batch.cancel(key) == .removed else { return }
        let message = "the answer has outgrown the worker's KV cache of \(kvTokens) tokens"
        fail(SequenceID(rawValue: key.rawValue), Status(.outOfRange, .outOfMemory, message))
    }

    private var kvTokens: Int { batch.blocks.total * batch.blocks.blockTokens }

    /// Each sequence of the step has a token more, and some are done.
    mutating func stepSucceeded(_ step: EngineStep, _ outputs: [SequenceOutput]) {
        guard outputs.map(\.sequence) == step.yielding else {
            stepFailed(
                step,
                Status(.internalError, .engineFailed, "the engine answered for other sequences than asked")
            )
            return
        }
        var finished: [SequenceID] = []
        // The batch is done with them as well.
        var gone: [SequenceID] = []
        for output in outputs {
            guard let place = sequences.place(of: output.sequence), !sequences[place: place].isCancelled else {
                continue
            }
            var report = LeaseProgress(lease: sequences[place: place].lease)
            let index = sequences[place: place].nextIndex
            report.tokens = TokensEvent(firstIndex: index, count: 1, ids: [output.token], text: output.text)
            sequences[place: place].nextIndex = index + 1
            let isLast = index + 1 >= sequences[place: place].request.maxTokens
            if let finish = output.finish ?? (isLast ? .length : nil) {
                report.finished = FinishedEvent(
                    reason: finish,
                    inputTokens: sequences[place: place].inputTokens,
                    outputTokens: index + 1
                )
                finished.append(output.sequence)
                gone.append(output.sequence)
            } else if sequences[place: place].handsOver, leavesRoom(sequences[place: place]) {
                sequences[place: place].isLeaving = true
                exports.append(output.sequence)
                gone.append(output.sequence)
            }
            progress.append(report)
        }
        let left = batch.completeStep(finished: gone.map(\.key))
        for id in finished { forget(id) }
        for key in left { forget(SequenceID(rawValue: key.rawValue)) }
    }

    /// Every sequence of a failed step is reported as failed; the rest goes on.
    mutating func stepFailed(_ step: EngineStep, _ status: Status) {
        let involved = step.decodes + step.chunks.map(\.sequence)
        for id in involved {
            _ = batch.cancel(id.key)
            if let sequence = sequences[id], !sequence.isCancelled {
                progress.append(LeaseProgress(lease: sequence.lease, failed: status))
            }
        }
        // Also what was given up during the step without being part of it.
        for key in batch.completeStep() { forget(SequenceID(rawValue: key.rawValue)) }
        for id in involved { forget(id) }
    }

    mutating func cancel(_ id: SequenceID) {
        guard let sequence = sequences[id], !sequence.isCancelled else { return }
        if let position = unadmitted.firstIndex(of: id) {
            unadmitted.remove(at: position)
            forget(id)
        } else if sequence.isLeaving {
            guard let position = exports.firstIndex(of: id) else {
                // It is being written; what was written is dropped when that ends.
                sequences[id]?.isCancelled = true
                return
            }
            exports.remove(at: position)
            sequences[id]?.isLeaving = false
            forget(id)
        } else if sequence.isAdmitted {
            sequences[id]?.isCancelled = true
            if batch.cancel(id.key) == .removed { forget(id) }
        } else {
            // Its admission is under way; it is forgotten when that ends.
            sequences[id]?.isCancelled = true
        }
    }

    private mutating func fail(_ id: SequenceID, _ status: Status) {
        if let sequence = sequences[id], !sequence.isCancelled {
            progress.append(LeaseProgress(lease: sequence.lease, failed: status))
        }
        forget(id)
    }

    /// Whether the exchange has room for a KV cache; if not the sequence goes on here.
    private func leavesRoom(_ sequence: Sequence) -> Bool {
        let tokens = sequence.inputTokens + sequence.nextIndex
        let bytes = handoverBytesPerToken * Double(tokens)
        let underway = exports.count
        return desk.hasRoom(for: Int(bytes.rounded(.up)) * (underway + 1))
    }

    /// A KV cache was left for another worker, or could not be.
    mutating func exported(_ export: EngineTurnResult.Export) {
        guard let sequence = sequences[export.sequence] else { return }
        switch export.cache {
        case .failure(let status):
            fail(export.sequence, status)
        case .success(let cache):
            let event = HandedOverEvent(kvCache: cache.name, inputTokens: sequence.inputTokens, bytes: cache.bytes)
            desk.leave(event, under: sequence.lease, ready: cache.ready)
            if sequence.isCancelled { desk.cancel(sequence.lease) }
            forget(export.sequence)
        }
    }

    static func engineStep(_ step: BatchStep) -> EngineStep {
        var result = EngineStep(
            preempted: step.preempted.map { SequenceID(rawValue: $0.rawValue) },
            decodes: step.decodes.map { SequenceID(rawValue: $0.rawValue) },
            chunks: step.chunks.map {
                EngineStep.Chunk(
                    sequence: SequenceID(rawValue: $0.sequence.rawValue),
                    start: $0.start,
                    end: $0.end,
                    completesPrompt: $0.completesPrompt
                )
            },
            workload: step.workload
        )
        result.imported = step.imported.map { SequenceID(rawValue: $0.rawValue) }
        return result
    }
}

extension SequenceID {
    var key: SequenceKey { SequenceKey(rawValue: rawValue) }
}
