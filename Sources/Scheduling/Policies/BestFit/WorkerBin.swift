internal import RecordTables
internal import ServingModel

/// A worker as a bin: what was packed into it, weighed, and the sums that most constraints are decided by.
struct WorkerBin: Sendable {
    private(set) var worker: WorkerID
    private(set) var running: [PackedQuery] = []
    /// In the order in which the worker prefills them.
    private(set) var waiting: [PackedQuery] = []
    /// Entries of `waiting`, from the first, whose prefill is under way and stops decodes.
    private(set) var underway = 0

    // Of the worker.
    private(set) var model: StepModel
    private(set) var limits: LatencyProfile.Limits
    private(set) var isChunked: Bool
    private(set) var kvCapacity: Double
    /// KV memory that a query takes beyond its tokens, for blocks are not full: the paper's j.
    private(set) var kvRounding: Double
    /// When it can begin a prefill; 0 for at once.
    private(set) var boundary = 0.0
    /// Prompt tokens of `waiting` that chunked steps have taken in, the one under way included, and of their squares.
    private(set) var tokensTaken = 0.0
    private(set) var squaresTaken = 0.0

    // Sums over all that is packed.
    private(set) var weightedContext = 0.0
    private(set) var finalContext = 0.0
    private(set) var variance = 0.0
    private(set) var deviation = 0.0
    private(set) var tokenTime = Double.infinity
    /// Σ (prediction now − prediction when placed): how much more it turned out to hold than was packed.
    private(set) var error = 0.0

    // Of the running ones, those whose prefill is under way included.
    private(set) var leastSlack = Double.infinity
    private(set) var mostUrgent = -1
    private(set) var mostRemaining = 0.0
    private(set) var step = 0.0

    /// Its predictions went wrong so far that it takes nothing new for a while.
    var isFrozen = false
    private var stamp: Stamp?

    /// What changes whenever the worker's queries or their tokens do.
    private struct Stamp: Hashable, Sendable {
        let contextTokens: Int
        let waitingTokens: Int
        let residents: Int
        let waiting: Int
        let last: QueryNumber?
        let end: Instant?
    }

    init(_ view: WorkerView) {
        worker = view.id
        model = view.model
        limits = view.profile.limits
        isChunked = view.isChunked
        kvCapacity = Double(view.admissibleKVTokens)
        kvRounding = Double(view.profile.kvCache.blockTokens / 2)
    }

    var count: Int { running.count + waiting.count }
    var isEmpty: Bool { running.isEmpty && waiting.isEmpty }
    /// What decodes: the running, and those who will be once the prefill under way is done.
    var decoding: Int { running.count + underway }

    /// The n-th of those that decode.
    func decoding(_ position: Int) -> PackedQuery {
        position < running.count ? running[position] : waiting[position - running.count]
    }
}

extension WorkerBin {
    /// Brings the bin up to date with its worker; cheap if nothing changed.
    mutating func refresh(from view: ClusterView, slot: Int, _ settings: BestFit.Settings) {
        let stamp = Stamp(
            contextTokens: view.workers[slot].contextTokens,
            waitingTokens: view.workers[slot].waitingTokens,
            residents: view.workers[slot].residents.count,
            waiting: view.workers[slot].waiting.count,
            last: view.workers[slot].residents.last?.number,
            end: view.workers[slot].step?.end
        )
        guard stamp != self.stamp else { return }
        self.stamp = stamp
        let worker = view.workers[slot]
        model = worker.model
        let formerlyWaiting = waiting
        followQueue(of: worker, in: view, settings)
        followResidents(of: worker, formerlyWaiting, in: view, settings)
        underway = worker.step.map { $0.isPrefill ? min($0.prefills, waiting.count) : 0 } ?? 0
        boundary = worker.step?.end.seconds ?? 0
        (tokensTaken, squaresTaken) = worker.isChunked ? worker.takenIn : (0, 0)
        for position in 0..<underway { waiting[position].start(at: boundary, settings) }
        sum(settings)
    }

    /// Adds a query that was just placed.
    mutating func add(_ query: PackedQuery, _ settings: BestFit.Settings) {
        // By the next refresh it may have come and gone, and the worker look as it did.
        stamp = nil
        waiting.append(query)
        sum(settings)
    }

    private mutating func followQueue(of worker: WorkerView, in view: ClusterView, _ settings: BestFit.Settings) {
        guard !waiting.elementsEqual(worker.waiting, by: { $0.number == $1.number }) else { return }
        let former = waiting
        waiting.removeAll(keepingCapacity: true)
        var next = 0
        for entry in worker.waiting {
            if let position = former[next...].firstIndex(where: { $0.number == entry.number }) {
                waiting.append(former[position])
                next = position + 1
            } else if let query = view.queries[entry.number] {
                waiting.append(PackedQuery(query, in: view, settings))
            }
        }
    }

    private mutating func followResidents(
        of worker: WorkerView,
        _ formerlyWaiting: [PackedQuery],
        in view: ClusterView,
        _ settings: BestFit.Settings
    ) {
        var kept = 0
        var next = 0
        // Residents keep their order and new ones come last, so one pass finds who left.
        for resident in worker.residents {
            var position = next
            while position < running.count, running[position].number != resident.number { position += 1 }
            guard position < running.count else { break }
            if kept != position { running[kept] = running[position] }
            kept += 1
            next = position + 1
        }
        running.removeLast(running.count - kept)
        for resident in worker.residents[kept...] {
            if let query = formerlyWaiting.first(where: { $0.number == resident.number }) {
                running.append(query)
            } else if let query = view.queries[resident.number] {
                running.append(PackedQuery(query, in: view, settings))
            }
        }
        let model = worker.profile.model
        for (position, resident) in worker.residents.enumerated() where position < running.count {
            running[position].update(
                generated: worker.outputTokens(of: resident),
                firstToken: resident.firstToken,
                of: model,
                in: view,
                settings
            )
        }
    }

    private mutating func sum(_ settings: BestFit.Settings) {
        (weightedContext, finalContext, variance, deviation, error) = (0, 0, 0, 0, 0)
        tokenTime = .infinity
        for query in running { weigh(query, settings) }
        for query in waiting { weigh(query, settings) }
        step = model.decode(sequences: Double(count), context: weightedContext)
        (leastSlack, mostUrgent, mostRemaining) = (.infinity, -1, 0)
        for position in 0..<decoding {
            let query = decoding(position)
            let slack = query.slack(at: 0, step: step)
            if slack < leastSlack, query.remaining > 0 { (leastSlack, mostUrgent) = (slack, position) }
            mostRemaining = max(mostRemaining, query.shortest - query.generated)
        }
    }

    private mutating func weigh(_ query: PackedQuery, _ settings: BestFit.Settings) {
        weightedContext += query.weightedContext(settings.gamma)
        finalContext += query.finalContext
        tokenTime = min(tokenTime, query.objective.tokenTime)
        error += query.predicted - query.atPlacement
        guard query.variance > 0 else { return }
        variance += query.variance
        deviation += query.variance.squareRoot()
    }
}

extension WorkerView {
    /// Prompt tokens of the queue that chunked steps have taken in or are taking in, and squares likewise.
    fileprivate var takenIn: (tokens: Double, squares: Double) {
        let (tokens, squares) = underway
        return waiting.reduce((Double(tokens), Double(squares))) {
            ($0.0 + Double($1.prefilled), $0.1 + Double($1.prefilled * $1.prefilled))
        }
    }
}
