package import ServingModel

/// One worker: what it can do, what it has been given, and how far that is believed to be.
package struct WorkerView: Sendable {
    /// A query in the worker's queue, or one whose prompt is being prefilled.
    package struct Waiting: Hashable, Sendable {
        package let number: QueryNumber
        package let arrival: Instant
        /// When its first token is due; `distantFuture` if it has come, on an earlier attempt or before a preemption.
        package let deadline: Instant
        package let prefillTokens: Int
        /// Those of `prefillTokens` that chunked steps have taken in, or that the worker is believed to hold already.
        package internal(set) var prefilled = 0
        /// ATGT objective in seconds.
        package let tokenTime: Double
        /// The client's guess of its output's length; 0 if there is none.
        package let lengthHint: Int

        /// Tokens still to be taken in, and what they add to the squares.
        package var openTokens: Int { prefillTokens - prefilled }
        package var openSquares: Int { prefillTokens * prefillTokens - prefilled * prefilled }
    }

    /// A query that decodes.
    package struct Resident: Hashable, Sendable {
        package let number: QueryNumber
        /// ATGT objective in seconds.
        package let tokenTime: Double
        /// When its first token came, in seconds.
        package let firstToken: Double
        package let inputTokens: Int
        /// Whether its objective can still be met: it is false once its first token was late.
        package let canMeet: Bool
        /// The client's guess of its output's length; 0 if there is none.
        package let lengthHint: Int
        /// Its output is `lockstepTokens + offset`.
        var offset: Int
    }

    /// The step that is believed to be under way.
    package struct Step: Hashable, Sendable {
        package let start: Instant
        /// As predicted.
        package let end: Instant
        /// Entries of `waiting`, from the first, that it prefills.
        package let prefills: Int
        /// Whether decodes stand still meanwhile.
        package let isPrefill: Bool
    }

    private let registration: Boxed<WorkerJoined>
    private var learning: Boxed<StepTimeEstimator>
    package internal(set) var isDraining = false
    /// The latency model to decide with.
    package internal(set) var model: StepModel
    /// In the order in which the worker will take them.
    package internal(set) var waiting: [Waiting] = []
    /// Prompt tokens still to be taken in of all that waits, and the squares of the prompts.
    package internal(set) var waitingTokens = 0
    package internal(set) var waitingSquares = 0
    package internal(set) var residents: [Resident] = []
    /// Residents prefilled elsewhere that the worker has not taken in yet: its steps give them no tokens.
    package internal(set) var joining: [QueryNumber] = []
    /// Contexts (prompt and output) of all residents.
    package internal(set) var contextTokens = 0
    /// Tokens that every resident has got since the worker joined, all of them advancing together.
    package internal(set) var lockstepTokens = 0
    package internal(set) var step: Step?
    /// When it was last given a query: what the order of prefills goes by.
    package internal(set) var lastPlacement = Instant.zero
    /// Its pool in the view, -1 if it takes no new queries; and its residents as that pool counts them.
    var pool = -1
    var countedResidents = 0

    init(joined: WorkerJoined) {
        registration = Boxed(joined)
        learning = Boxed(StepTimeEstimator(registered: joined.profile))
        model = StepModel(joined.profile)
    }

    package var joined: WorkerJoined {
        _read { yield registration.value }
    }

    package internal(set) var estimator: StepTimeEstimator {
        _read { yield learning.value }
        _modify { yield &learning.value }
    }

    package var profile: LatencyProfile {
        _read { yield registration.value.profile }
    }

    package var id: WorkerID { joined.worker }
    package var isChunked: Bool { joined.batching == .chunked }
    /// All that it has not finished.
    package var load: Int { waiting.count + residents.count }
    package var isIdle: Bool { waiting.isEmpty && residents.isEmpty }
    /// Sequences that it would run beside those it has.
    package var freePlaces: Int { max(0, profile.limits.maximumSequences - load) }

    /// Output tokens of a resident.
    package func outputTokens(of resident: Resident) -> Int { lockstepTokens + resident.offset }

    /// Seconds that a resident is ahead of its objective's pace: `s = T·(g − 1) − (now − f)`.
    ///
    /// With s ≥ 0 at its last token it has met its ATGT, whatever its length.
    package func credit(of resident: Resident, at now: Double) -> Double {
        resident.tokenTime * Double(lockstepTokens + resident.offset - 1) - (now - resident.firstToken)
    }

    /// KV cache in use, in tokens: contexts rounded up to half a block each, on average, and prompts on their way in.
    package var usedKVTokens: Int {
        contextTokens + residents.count * (profile.kvCache.blockTokens / 2)
    }

    /// KV cache that admissions may take, in tokens.
    package var admissibleKVTokens: Int {
        Int(Double(profile.kvCache.capacityTokens) * (1 - profile.kvCache.watermark))
    }

    /// KV cache that the next prefill step may take, in tokens: all there is if nothing runs.
    package var roomForPrompts: Int {
        (residents.isEmpty ? profile.kvCache.capacityTokens : admissibleKVTokens) - usedKVTokens
    }
}

extension WorkerView {
    /// Adds a query at the end of the queue, or ahead of all if it was preempted.
    mutating func enqueue(_ entry: Waiting, ahead: Bool = false) {
        if ahead { waiting.insert(entry, at: 0) } else { waiting.append(entry) }
        waitingTokens += entry.openTokens
        waitingSquares += entry.openSquares
    }

    /// Takes a query out of the queue.
    ///
    /// - Returns: its entry, or nil if it is not there.
    mutating func dequeue(_ number: QueryNumber) -> Waiting? {
        guard let position = waiting.firstIndex(where: { $0.number == number }) else { return nil }
        let entry = waiting.remove(at: position)
        waitingTokens -= entry.openTokens
        waitingSquares -= entry.openSquares
        return entry
    }

    /// Notes that chunks took in prompt tokens, in the order of the queue.
    mutating func takeIn(_ tokens: Int) {
        var left = tokens
        for position in waiting.indices where left > 0 {
            let before = waiting[position].prefilled
            let chunk = min(left, waiting[position].prefillTokens - before)
            left -= chunk
            waiting[position].prefilled += chunk
            waitingTokens -= chunk
            waitingSquares -= (before + chunk) * (before + chunk) - before * before
        }
    }

    mutating func start(_ resident: Resident) {
        residents.append(resident)
        contextTokens += resident.inputTokens + outputTokens(of: resident)
    }

    /// Adds a resident that gets no tokens before the worker has taken it in.
    mutating func join(_ resident: Resident) {
        joining.append(resident.number)
        start(resident)
    }

    /// - Returns: the resident that was removed, or nil if there is none of that number.
    @discardableResult
    mutating func stop(_ number: QueryNumber) -> Resident? {
        guard let position = residents.firstIndex(where: { $0.number == number }) else { return nil }
        let resident = residents.remove(at: position)
        if !joining.isEmpty { joining.removeAll { $0 == number } }
        contextTokens -= resident.inputTokens + outputTokens(of: resident)
        return resident
    }

    /// Gives every resident a token.
    mutating func advanceAll() {
        lockstepTokens += 1
        contextTokens += residents.count - joining.count
        guard !joining.isEmpty else { return }
        for position in residents.indices where joining.contains(residents[position].number) {
            residents[position].offset -= 1
        }
    }

    /// Gives one resident tokens.
    mutating func advance(_ number: QueryNumber, by tokens: Int) {
        guard let position = residents.firstIndex(where: { $0.number == number }) else { return }
        residents[position].offset += tokens
        contextTokens += tokens
    }
}
