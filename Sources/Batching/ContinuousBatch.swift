internal import DequeModule
package import ServingModel

/// One worker's continuous batching: who waits, who runs, and what the next engine step computes.
///
/// The same value decides every step of a real worker and of a simulated one. It computes no token and knows no time:
/// the owner takes a step, runs it (or asks a latency profile how long it would take) and reports which sequences got
/// their last token; how long an answer will be is unknown here.
///
/// ```
/// enqueue ─► waiting ─► prefilling ─► running ─► finished
///               ▲            │           │
///               └────── preempted ───────┘
/// ```
///
/// 1. `enqueue` at any time; also a sequence that another worker began, with its output so far as part of the prompt.
/// 2. `startStep` while no step is in progress; nil means that there is nothing to do.
/// 3. `completeStep`, once for each step started. `cancel` at any time.
///
/// Blocks of KV memory are reserved before they are written: `blocks(prompt + 1)` at admission, one more before the
/// decode that needs it. If none is free the youngest admission is preempted and is prefilled again later. Running
/// sequences followed by prefilling ones are always in order of admission, so the youngest is the last of these.
///
/// Source: the worker model, modes A and B; they follow vLLM v0 and v1.
package struct ContinuousBatch: Hashable, Sendable {
    package let mode: BatchingMode
    package let limits: LatencyProfile.Limits

    /// KV memory, free and in all.
    package internal(set) var blocks: BlockPool
    /// The step that was started and not completed yet.
    package internal(set) var stepInProgress: BatchStep?
    /// Tokens to prefill, output so far included, of all waiting sequences.
    package internal(set) var waitingTokens = 0

    /// Prompt tokens that were in the KV cache when their sequences were admitted, in all.
    package internal(set) var cachedTokens = 0

    /// In order of arrival, preempted ones ahead.
    var waiting: Deque<WaitingSequence> = []
    /// In order of admission; empty between steps in prefill-priority mode.
    var prefilling: Deque<PrefillingSequence> = []
    var running: RunningSequences
    /// What the KV cache still holds of prompts; nil if prefixes are not kept.
    var prefixes: PrefixCache?
    /// Resident sequences that leave when the step in progress ends.
    var leaving: Set<SequenceKey> = []

    /// A batch with nothing in it.
    ///
    /// - Parameter keepsPrefixes: whether the beginning of a prompt that the KV cache still holds is not computed again.
    /// - Precondition: the values passed `LatencyProfile.validate()`.
    package init(
        mode: BatchingMode,
        kvCache: LatencyProfile.KVCache,
        limits: LatencyProfile.Limits,
        keepsPrefixes: Bool = false
    ) {
        self.mode = mode
        self.limits = limits
        prefixes = keepsPrefixes ? PrefixCache() : nil
        blocks = BlockPool(kvCache)
        running = RunningSequences(blockTokens: kvCache.blockTokens)
    }

    package var waitingCount: Int { waiting.count }
    package var prefillingCount: Int { prefilling.count }
    package var runningCount: Int { running.count }
    /// Sequences in any state.
    package var count: Int { waiting.count + prefilling.count + running.count }
    package var isEmpty: Bool { count == 0 }
    /// Whether beginnings of prompts are kept for those to come.
    package var keepsPrefixes: Bool { prefixes != nil }
    /// Prompt and output tokens of the running sequences.
    package var contextTokens: Int { running.contextTokens }

    /// Whether a sequence of this length could run to its end if it were alone; what can't must not be enqueued.
    ///
    /// - Parameters:
    ///   - promptTokens: the prompt without output.
    ///   - maxTokens: the output tokens it may grow to, at least 1.
    /// - Returns: whether prompt and output fit into all blocks together.
    package func canEverFit(promptTokens: Int, maxTokens: Int) -> Bool {
        let (tokens, overflow) = promptTokens.addingReportingOverflow(max(1, maxTokens))
        return !overflow && tokens <= blocks.total * blocks.blockTokens
    }

    /// The running sequence that fills the KV cache to the last token: it is alone, and can't have another token here.
    ///
    /// There is none while every sequence in the batch is one that `canEverFit` was asked about in full. Whoever lets in
    /// what may outgrow the worker looks for it before each step, and cancels it.
    package var outgrown: SequenceKey? {
        guard running.count == 1, running.contextTokens >= blocks.total * blocks.blockTokens else { return nil }
        return running.keys.first
    }

    /// Adds a sequence at the end of the queue.
    ///
    /// - Parameters:
    ///   - key: a name that no sequence of the batch carries.
    ///   - promptTokens: its prompt, at least one token.
    ///   - generatedTokens: its output from an earlier attempt; it is prefilled with the prompt.
    ///   - blocks: what the prompt begins with, should prefixes be kept.
    /// - Precondition: `canEverFit` for the whole of it, or somebody watches `outgrown`.
    package mutating func enqueue(
        _ key: SequenceKey,
        promptTokens: Int,
        generatedTokens: Int = 0,
        blocks: PromptBlocks = .none
    ) {
        let tokens = promptTokens + generatedTokens
        precondition(promptTokens > 0 && generatedTokens >= 0, "a sequence needs a prompt")
        precondition(canEverFit(promptTokens: tokens, maxTokens: 1), "the prompt is longer than the KV cache")
        waiting.append(WaitingSequence(key: key, promptTokens: tokens, blocks: blocks))
        waitingTokens += tokens
    }

    /// Adds a sequence that another worker prefilled, at the end of the queue.
    ///
    /// It needs a seat and its blocks, but no prefill; if it is preempted later, its prompt is computed here after all.
    ///
    /// - Parameter contextTokens: its prompt and output so far; at least 2.
    package mutating func enqueuePrefilled(_ key: SequenceKey, contextTokens: Int) {
        precondition(contextTokens > 1 && canEverFit(promptTokens: contextTokens, maxTokens: 1))
        waiting.append(WaitingSequence(key: key, promptTokens: contextTokens, isPrefilled: true))
    }

    /// Every sequence, the resident ones first.
    package var keys: [SequenceKey] {
        running.keys + prefilling.map(\.key) + waiting.map(\.key)
    }

    /// Decides the next step, or returns nil if there is nothing to do.
    ///
    /// Complexity: O(chunks + preemptions); the number of running sequences does not matter.
    ///
    /// - Precondition: no step is in progress.
    package mutating func startStep() -> BatchStep? {
        precondition(stepInProgress == nil, "the step in progress must be completed first")
        stepInProgress =
            switch mode {
            case .prefillPriority: nextPrefillPriorityStep()
            case .chunked: nextChunkedPrefillStep()
            }
        trimPrefixes()
        return stepInProgress
    }
}
