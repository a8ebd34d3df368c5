package import EngineInterface
package import Messages
internal import RecordTables
package import ServingModel

/// A worker over an engine that batches for itself, as a pure machine: leases in, queries to start and stop and reports
/// out.
///
/// It is to such an engine what `WorkerMachine` is to one that computes steps. It decides how many queries the engine has
/// at once, keeps the leases, numbers the tokens, and tells the broker of steps that it has inferred.
package struct StreamMachine: Sendable {
    package enum Command: Hashable, Sendable {
        case start(SequenceID)
        case stop(SequenceID)
    }

    /// One lease while it lasts.
    struct Sequence: Sendable {
        let lease: Lease
        let request: SequenceRequest
        /// Index of the next token.
        var nextIndex: Int
        var prompt: PromptCount
        var isPromptKnown: Bool
        var isSent = false
        /// When the engine first had no place for it.
        var refusedSince: Instant?
    }

    package let description: EngineDescription
    var sequences = RecordTable<SequenceID, Sequence>()
    var sequencesByLease: [Lease: SequenceID] = [:]
    /// Not given to the engine yet, in order.
    var waiting: [SequenceID] = []
    /// Sequences without a token since they were taken.
    var silent = 0
    /// Contexts of all that the engine has.
    var sentTokens = 0
    var commands: [Command] = []
    var progress: [LeaseProgress] = []
    var steps: ObservedSteps
    /// Reports of steps, each with the progress that belongs to it.
    var stepReports: [(step: ObservedSteps.Step, progress: [LeaseProgress])] = []
    private var load = EngineLoad()
    /// Until then the engine wants nothing more.
    var busyUntil = Instant.zero
    private var nextSequence = 1
    /// Queries taken since registration.
    private var taken: UInt64 = 0
    private var grantTold: UInt64 = 0
    package private(set) var isDraining = false
    private var promptTokensPerByte = 0.25

    /// - Parameter former: the machine over this engine's former life; its sequence numbers are not used again, since
    ///   something may still be heard of them.
    package init(description: EngineDescription, after former: StreamMachine? = nil) {
        self.description = description
        steps = ObservedSteps(chunkTokens: max(1, description.profile.limits.chunkTokens))
        nextSequence = former?.nextSequence ?? 1
        promptTokensPerByte = former?.promptTokensPerByte ?? promptTokensPerByte
    }

    /// Leases held.
    package var count: Int { sequences.count }

    /// Takes a query.
    package mutating func take(_ query: WorkerQuery) {
        let id = SequenceID(rawValue: nextSequence)
        nextSequence += 1
        taken += 1
        var request = SequenceRequest(
            id: id,
            input: query.input,
            sampling: query.sampling,
            defaultSeed: query.defaultSeed,
            maxTokens: query.maxTokens,
            resumedTokens: query.resumedTokens,
            outputTokensHint: query.outputTokensHint
        )
        request.traceparent = query.trace?.traceparent
        request.tracestate = query.trace?.state
        let (tokens, isKnown) = promptTokens(of: query.input)
        let sequence = Sequence(
            lease: query.lease,
            request: request,
            nextIndex: query.resumedTokens.count,
            prompt: PromptCount(tokens: tokens),
            isPromptKnown: isKnown
        )
        sequences.insert(sequence, for: id)
        silent += 1
        sequencesByLease[query.lease] = id
        waiting.append(id)
    }

    /// Reports a lease as failed that never became a sequence.
    package mutating func refuse(_ lease: Lease, _ status: Status) {
        taken += 1
        progress.append(LeaseProgress(lease: lease, failed: status))
    }

    /// Gives leases up; nothing more is reported about them.
    package mutating func cancel(_ leases: [Lease]) {
        for lease in leases {
            if let id = sequencesByLease[lease] { forget(id) }
        }
    }

    /// Gives everything up: the session that the leases belonged to is over.
    package mutating func reset() {
        for id in sequences.keys.sorted() { forget(id) }
        _ = steps.take()
        progress.removeAll()
        stepReports.removeAll()
        taken = 0
        grantTold = 0
        isDraining = false
    }

    package mutating func drain() {
        isDraining = true
    }

    package mutating func loaded(_ load: EngineLoad) {
        self.load = load
    }

    package func request(_ id: SequenceID) -> SequenceRequest? {
        sequences.place(of: id).map { sequences[place: $0].request }
    }

    /// What to ask of the engine now.
    package mutating func takeCommands(at now: Instant) -> [Command] {
        while now >= busyUntil, let id = waiting.first, let place = sequences.place(of: id), hasRoom(for: place) {
            waiting.removeFirst()
            sequences[place: place].isSent = true
            sentTokens += context(at: place)
            steps.sent(id, prompt: sequences[place: place].prompt, at: now)
            commands.append(.start(id))
        }
        defer { commands = [] }
        return commands
    }

    /// When `takeCommands` may have something to say although nothing has happened.
    ///
    /// What waits after the server's pause waits for a place, and that is freed by something that happens.
    package func nextDue(at now: Instant) -> Instant {
        waiting.isEmpty || busyUntil <= now ? .distantFuture : busyUntil
    }

    /// What the broker is to hear.
    package mutating func takeReports(at now: Instant) -> [WorkerReport] {
        closeSteps()
        let capacity = description.profile.kvCache.capacityTokens
        let free = max(0, capacity - max(sentTokens, load.usedKVTokens ?? 0))
        var reports = stepReports.map { report in
            WorkerReport.step(
                StepReport(
                    workload: report.step.workload,
                    duration: report.step.duration,
                    progress: report.progress,
                    waiting: silent,
                    freeKVTokens: free
                )
            )
        }
        stepReports.removeAll()
        if !progress.isEmpty {
            let step = StepReport(
                workload: nil,
                duration: .zero,
                progress: progress,
                waiting: silent,
                freeKVTokens: free
            )
            progress = []
            reports.append(.step(step))
        }
        let granted = taken + UInt64(room(at: now))
        if granted > grantTold, !isDraining {
            grantTold = granted
            reports.append(.pull(granted: granted))
        }
        return reports
    }

    /// Puts steps that have ended into reports, with the tokens that came in them.
    mutating func closeSteps() {
        for step in steps.take() {
            stepReports.append((step, progress))
            progress = []
        }
    }

    /// As many as run at once and some to fill free places with; nothing while the engine has more than it can do.
    private func room(at now: Instant) -> Int {
        let isBusy = now < busyUntil || (load.waiting ?? 0) > 0
        guard !isBusy || sequences.isEmpty else { return 0 }
        let places = description.profile.limits.maximumSequences
        return max(0, (isBusy ? 1 : places + max(1, places / 8)) - sequences.count)
    }

    /// Tokens of prompt and answer so far.
    func context(at place: Int) -> Int { sequences[place: place].prompt.tokens + sequences[place: place].nextIndex }

    func isSilent(at place: Int) -> Bool {
        sequences[place: place].nextIndex == sequences[place: place].request.resumedTokens.count
    }

    private func hasRoom(for place: Int) -> Bool {
        let sent = sequences.count - waiting.count
        guard sent > 0 else { return true }
        return sent < description.profile.limits.maximumSequences
            && sentTokens + context(at: place) < description.profile.kvCache.capacityTokens
    }

    private func promptTokens(of input: PromptInput) -> (count: Int, isKnown: Bool) {
        let bytes: Int
        switch input {
        case .tokens(let tokens): return (tokens.count, true)
        case .text(let text): bytes = text.utf8.count
        case .chat(let messages): bytes = messages.reduce(0) { $0 + $1.content.utf8.count + 16 }
        }
        return (max(1, Int(Double(bytes) * promptTokensPerByte)), false)
    }

    /// Learns how long prompts are from one whose length has become known.
    mutating func learn(_ prompt: PromptCount, at place: Int) {
        guard !sequences[place: place].isPromptKnown, prompt.tokens > 0 else { return }
        let assumed = sequences[place: place].prompt.tokens
        if sequences[place: place].isSent { sentTokens += prompt.tokens - assumed }
        let bytes = Double(assumed) / promptTokensPerByte
        promptTokensPerByte += 0.1 * (min(Double(prompt.tokens) / bytes, 4) - promptTokensPerByte)
        sequences[place: place].prompt = prompt
        sequences[place: place].isPromptKnown = true
    }
}
