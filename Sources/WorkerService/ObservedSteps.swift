internal import EngineInterface
internal import ServingModel

/// Steps of an engine that batches for itself, inferred from when its tokens come.
///
/// Such an engine computes as others do: in each step a token for every sequence that runs, beside some prompts. On the
/// wire that is a round: one piece from each stream, then a pause. A round ends with the piece that makes it complete, or
/// before the second piece of the same stream if somebody is still missing. The time from the end of one round to the end
/// of the next, or from sending a query to an idle engine to its first token, is what the step took.
///
/// A prompt that is sent during one round and has its first token in the next was computed in that step. One that takes
/// longer was spread over several, in shares that nobody outside knows; and pieces that are late, or hold several tokens,
/// blur what belongs to which step. But time is linear in work, so the mean of several steps takes the mean of their times:
/// steps are told without a time as they come, and once in a while, when no prompt is half-way and no piece is missing,
/// their mean is told with one. The stream that got most tokens says how many steps there were. While nothing decodes, the steps of a long prompt cannot be seen at all;
/// they are taken to have the chunks that the profile says. A prompt that is given up half-way leaves work that nobody can
/// attribute: such steps are told without a time and teach nothing.
struct ObservedSteps: Hashable {
    struct Step: Hashable {
        var workload: StepWorkload
        /// Zero if it is not known.
        var duration: Interval
    }

    private struct Stream: Hashable {
        var sentAt: Instant
        var prompt: PromptCount
        var tokens = 0
        /// The last round in which it had tokens.
        var round = 0
        /// The span that `spanTokens` is about.
        var span = 0
        var spanTokens = 0
    }

    private struct Work: Hashable {
        var decodes = 0
        var context = 0
        var prefillTokens = 0
        var prefillSquares = 0
        var pieces = 0

        static func += (left: inout Work, right: Work) {
            left.decodes += right.decodes
            left.context += right.context
            left.prefillTokens += right.prefillTokens
            left.prefillSquares += right.prefillSquares
            left.pieces += right.pieces
        }
    }

    /// The time of a piece is known to some milliseconds, whatever a step takes: a mean is taken over many of those.
    private static let shortestSpan = Interval.milliseconds(100)
    /// A mean is told then, whatever is on its way: what the ends add wrongly is small.
    private static let longestSpan = Interval.seconds(1)

    private let chunkTokens: Int
    private var streams: [SequenceID: Stream] = [:]
    /// Sent, and without a token yet.
    private var pending: [SequenceID] = []
    private var round = 1
    private var roundStart = Instant.zero
    private var roundWork = Work()
    /// Streams with tokens in this round that still run.
    private var served = 0
    private var lastToken = Instant.zero
    private var spanStart = Instant.zero
    private var spanWork = Work()
    private var span = 0
    private var spanRounds = 0
    /// Of the stream that got most in this span.
    private var mostTokens = 0
    /// Steps that brought nobody anything.
    private var unseenSteps = 0
    private var isSpoilt = false
    private var steps: [Step] = []

    /// - Parameter chunkTokens: the most prompt tokens that the engine takes into one step.
    init(chunkTokens: Int) {
        precondition(chunkTokens >= 1, "a step takes in a token at least")
        self.chunkTokens = chunkTokens
    }

    /// Steps that have ended, oldest first.
    mutating func take() -> [Step] {
        defer { steps = [] }
        return steps
    }

    /// A query was given to the engine.
    mutating func sent(_ id: SequenceID, prompt: PromptCount, at now: Instant) {
        if streams.isEmpty { startAnew(at: now) }
        streams[id] = Stream(sentAt: now, prompt: prompt)
        pending.append(id)
    }

    /// Tokens of a query came, all in one piece.
    mutating func came(_ id: SequenceID, tokens: Int, prompt: PromptCount?, at now: Instant) {
        guard streams[id] != nil else { return }
        if streams[id]?.round == round { endRound(at: lastToken) }
        guard var stream = streams[id] else { return }
        if let prompt { stream.prompt = prompt }
        if stream.tokens == 0 {
            pending.removeAll { $0 == id }
            let length = stream.prompt.tokens
            let cached = min(stream.prompt.cached, length)
            roundWork.prefillTokens += length - cached
            roundWork.prefillSquares += length * length - cached * cached
        }
        // The token that a prompt ends with is no decode; each further one is, in some step.
        let decodes = stream.tokens == 0 ? tokens - 1 : tokens
        let context = stream.prompt.tokens + max(stream.tokens, 1)
        roundWork.decodes += decodes
        roundWork.context += decodes * context + decodes * (decodes - 1) / 2
        stream.tokens += tokens
        stream.round = round
        stream.spanTokens = tokens + (stream.span == span ? stream.spanTokens : 0)
        stream.span = span
        mostTokens = max(mostTokens, stream.spanTokens)
        streams[id] = stream
        roundWork.pieces += 1
        served += 1
        lastToken = now
        endRoundIfComplete()
    }

    /// A query ended, well or not.
    mutating func ended(_ id: SequenceID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if stream.tokens == 0 {
            pending.removeAll { $0 == id }
            // Part of its prompt may have been computed.
            if stream.sentAt <= roundStart { isSpoilt = true }
        } else if stream.round == round {
            served -= 1
        }
        endRoundIfComplete()
        // What is left when all is done is too short for a mean, but better than nothing. Its steps have been told, so
        // that this one must bring nothing new to those who follow the prompts.
        if streams.isEmpty, spanRounds > 0, spanWork.prefillTokens == 0 { endSpan(at: roundStart) }
    }

    private var hasPromptOnItsWay: Bool { pending.contains { streams[$0].map { $0.sentAt <= roundStart } ?? false } }

    private mutating func endRoundIfComplete() {
        guard roundWork.pieces > 0, served == streams.count - pending.count, !hasPromptOnItsWay else { return }
        endRound(at: lastToken)
    }

    private mutating func endRound(at end: Instant) {
        if roundWork.decodes == 0 { unseenSteps += max(0, roundWork.prefillTokens - 1) / chunkTokens }
        spanWork += roundWork
        spanRounds += 1
        let isPlain = served == streams.count - pending.count && !hasPromptOnItsWay
        let length = end - spanStart
        // What an idle engine does first is told alone: it is the only look at what a prompt takes.
        let isFirst = spanRounds == 1 && roundWork.decodes == 0
        if isPlain && (length >= Self.shortestSpan || isFirst) || length >= Self.longestSpan {
            endSpan(at: end)
        } else {
            steps.append(Step(workload: workload(roundWork, over: 1), duration: .zero))
        }
        startRound(at: end)
    }

    private mutating func endSpan(at end: Instant) {
        let count = max(spanRounds, mostTokens) + unseenSteps
        let duration = Interval(nanoseconds: (end - spanStart).nanoseconds / Int64(count))
        steps.append(Step(workload: workload(spanWork, over: count), duration: isSpoilt ? .zero : duration))
        startSpan(at: end)
    }

    private func workload(_ work: Work, over count: Int) -> StepWorkload {
        func mean(_ sum: Int) -> Int { (sum + count / 2) / count }
        return StepWorkload(
            // Alone, a prompt takes what it takes to get into the engine as well; that is no part of steps that decode.
            kind: work.prefillTokens == 0 ? .decode : work.decodes == 0 ? .prefill : .mixed,
            prefillTokens: mean(work.prefillTokens),
            prefillSquares: mean(work.prefillSquares),
            decodeSequences: work.decodes > 0 ? max(1, mean(work.decodes)) : 0,
            contextTokens: mean(work.context)
        )
    }

    private mutating func startAnew(at now: Instant) {
        startRound(at: now)
        startSpan(at: now)
    }

    private mutating func startRound(at now: Instant) {
        round += 1
        roundStart = now
        roundWork = Work()
        served = 0
    }

    private mutating func startSpan(at now: Instant) {
        span += 1
        spanStart = now
        spanWork = Work()
        spanRounds = 0
        mostTokens = 0
        unseenSteps = 0
        isSpoilt = false
    }
}
