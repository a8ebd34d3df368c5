internal import Batching
package import EngineInterface
package import Messages
internal import RecordTables
package import ServingModel

/// A worker as a pure machine: leases in, engine turns and reports out.
///
/// It keeps the leases and lets `ContinuousBatch` decide each step. The shell runs one turn at a time and tells what
/// came of it; what is to be sent to the broker waits in `takeReports`.
package struct WorkerMachine: Sendable {
    /// One lease while it lasts.
    struct Sequence: Sendable {
        let lease: Lease
        var request: SequenceRequest
        /// Index of the next token.
        var nextIndex: Int
        var inputTokens = 0
        /// Whether the batch knows it.
        var isAdmitted = false
        /// Given up while its admission was under way.
        var isCancelled = false
        /// Whether its KV cache is to be left for another worker once it has a token.
        var handsOver = false
        /// The KV cache that it takes over; empty for none.
        var kvCache = ""
        /// Whether its KV cache is being left for another: the batch knows it no longer.
        var isLeaving = false
    }

    package let description: EngineDescription
    var batch: ContinuousBatch
    var sequences = RecordTable<SequenceID, Sequence>()
    var sequencesByLease: [Lease: SequenceID] = [:]
    /// Taken and not tokenised yet, in order.
    var unadmitted: [SequenceID] = []
    var releases: [SequenceID] = []
    var progress: [LeaseProgress] = []
    /// Sequences whose KV cache is to be left for others with the next turn.
    var exports: [SequenceID] = []
    /// What was left for others.
    package var desk: HandoverDesk
    let handoverBytesPerToken: Double
    private var nextSequence = 1
    /// Queries taken since registration.
    private var taken: UInt64 = 0
    private var grantTold: UInt64 = 0
    private var turnIsUnderWay = false
    package private(set) var isDraining = false

    /// - Parameters:
    ///   - handoverBytes: bytes of KV caches that may lie ready for other workers at once.
    ///   - bytesPerToken: of these.
    package init(
        description: EngineDescription,
        mode: BatchingMode,
        handoverBytes: Int = 0,
        bytesPerToken: Double = 0
    ) {
        self.description = description
        handoverBytesPerToken = bytesPerToken
        desk = HandoverDesk(byteLimit: handoverBytes)
        batch = ContinuousBatch(
            mode: mode,
            kvCache: description.profile.kvCache,
            limits: description.profile.limits,
            keepsPrefixes: description.keepsPrefixes
        )
    }

    /// Whether the engine is at work.
    package var isBusy: Bool { turnIsUnderWay }

    /// Leases held, and KV caches that lie ready for others.
    package var count: Int { sequences.count + desk.count }

    /// Takes a query.
    ///
    /// A request that cannot be served is reported as failed.
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
        var sequence = Sequence(lease: query.lease, request: request, nextIndex: query.resumedTokens.count)
        sequence.handsOver = query.handsOver
        sequence.kvCache = query.resumedTokens.isEmpty ? "" : query.kvCache
        sequences.insert(sequence, for: id)
        sequencesByLease[query.lease] = id
        unadmitted.append(id)
    }

    /// Reports a lease as failed that never became a sequence.
    package mutating func refuse(_ lease: Lease, _ status: Status) {
        taken += 1
        progress.append(LeaseProgress(lease: lease, failed: status))
    }

    /// Gives leases up; nothing more is reported about them.
    package mutating func cancel(_ leases: [Lease]) {
        for lease in leases {
            if let id = sequencesByLease[lease] { cancel(id) } else { desk.cancel(lease) }
        }
    }

    /// Gives everything up: the session that the leases belonged to is over.
    package mutating func reset() {
        for id in sequences.keys.sorted() { cancel(id) }
        desk.reset()
        progress.removeAll()
        taken = 0
        grantTold = 0
        isDraining = false
    }

    package mutating func drain() {
        isDraining = true
    }

    /// What the engine does next, or nil if there is nothing to do or a turn is under way.
    package mutating func nextTurn() -> EngineTurn? {
        guard !turnIsUnderWay else { return nil }
        var turn = EngineTurn()
        if unadmitted.isEmpty { handBackOutgrown() }
        turn.releases = releases
        releases.removeAll()
        turn.exports = exports
        exports.removeAll()
        // What is left for others goes alone: whoever waits for it is not to wait for a step.
        if !turn.exports.isEmpty {
            turnIsUnderWay = true
            return turn
        }
        if unadmitted.isEmpty {
            turn.step = batch.startStep().map(Self.engineStep)
        } else {
            turn.admissions.reserveCapacity(unadmitted.count)
            for id in unadmitted {
                guard let place = sequences.place(of: id) else { continue }
                turn.admissions.append(sequences[place: place].request)
                if !sequences[place: place].kvCache.isEmpty { turn.imports[id] = sequences[place: place].kvCache }
            }
            unadmitted.removeAll()
        }
        guard turn.step != nil || !turn.admissions.isEmpty || !turn.releases.isEmpty else { return nil }
        turnIsUnderWay = true
        return turn
    }

    /// Takes in what came of the turn under way.
    package mutating func turnEnded(_ turn: EngineTurn, _ result: EngineTurnResult) {
        precondition(turnIsUnderWay, "a turn ends once")
        turnIsUnderWay = false
        for export in result.exports { exported(export) }
        for admission in result.admissions { admitted(admission) }
        switch (turn.step, result.outputs) {
        case (let step?, .success(let outputs)?): stepSucceeded(step, outputs)
        case (let step?, .failure(let status)?): stepFailed(step, status)
        default: break
        }
    }

    /// Notes that time has passed: KV caches that have arrived are told of.
    ///
    /// - Returns: when the next one will have; `distantFuture` for none.
    package mutating func noteHandovers(at now: Instant) -> Instant {
        progress += desk.takeReady(at: now)
        return desk.nextReady
    }

    /// Whether there is something to report, apart from steps.
    package var hasNews: Bool { !progress.isEmpty }

    /// What the broker is to hear.
    ///
    /// - Parameter computed: the step just ended and its time, if one ended.
    package mutating func takeReports(computed: (workload: StepWorkload, duration: Interval)?) -> [WorkerReport] {
        var reports: [WorkerReport] = []
        if computed != nil || !progress.isEmpty {
            let step = StepReport(
                workload: computed?.workload,
                duration: computed?.duration ?? .zero,
                progress: progress,
                waiting: unadmitted.count + batch.waitingCount + batch.prefillingCount,
                freeKVTokens: batch.blocks.free * batch.blocks.blockTokens
            )
            progress.removeAll(keepingCapacity: true)
            reports.append(.step(step))
        }
        let room = max(2 * description.profile.limits.maximumSequences - sequences.count, 0)
        let granted = taken + UInt64(room)
        if granted > grantTold, !isDraining {
            grantTold = granted
            reports.append(.pull(granted: granted))
        }
        return reports
    }

    /// Ends a sequence on the books; the engine is told with the next turn.
    mutating func forget(_ id: SequenceID) {
        guard let place = sequences.place(of: id) else { return }
        sequencesByLease[sequences[place: place].lease] = nil
        // What has left was released by that.
        if sequences[place: place].isAdmitted, !sequences[place: place].isLeaving { releases.append(id) }
        sequences.remove(at: place, key: id)
    }
}
