internal import DequeModule
internal import HeapModule
internal import RecordTables
package import ServingModel

/// The broker as a pure machine: every query's life, from acceptance to its one end.
///
/// The shell tells it what arrived and when; it answers with actions (`takeActions`). It decides no placement while a
/// scheduler is attached. What comes from peers and makes no sense is refused or ignored; a broken invariant of our own
/// traps.
package struct Broker: Sendable {
    package private(set) var configuration: BrokerConfiguration

    var queries = RecordTable<QueryNumber, QueryRecord>()
    var numbersByID: [QueryID: QueryNumber] = [:]
    var readers = RecordTable<StreamKey, Reader>()
    /// What each session has open.
    var streamsBySession: [SessionID: Set<OpenStream>] = [:]
    var workers = RecordTable<WorkerID, WorkerRecord>()
    /// Keys of `workers` in the order of registration: what loops run over.
    package internal(set) var workerOrder: [WorkerID] = []
    /// Only current leases; a report under any other is discarded.
    var queriesByLease: [Lease: QueryNumber] = [:]
    var models = RecordTable<String, ModelRecord>()
    package internal(set) var modelOrder: [String] = []
    /// In state `queued`, in order of arrival; entries that have moved on are skipped.
    var unplaced: Deque<QueryNumber> = []
    var deadlines = Heap<Timer>()
    /// As many timers as make it worth looking for those of queries that have ended.
    var manyDeadlines = 64
    /// Ended and kept to be read, oldest first.
    var retained: Deque<(ended: Instant, query: QueryNumber, place: Int)> = []
    var retainedBytes = 0
    /// Why the latest placements were made, in their order.
    var explained: Deque<(placement: UInt64, explanation: PlacementExplanation)> = []
    /// Placements carried out.
    var placements: UInt64 = 0
    /// Over all queries.
    package internal(set) var predictions = PredictionErrors()
    /// What became of queries, by whose they were.
    package internal(set) var tenants = TenantFigures()
    /// Accepted and not ended, and the bytes of their requests.
    package internal(set) var liveQueries = 0
    package internal(set) var liveBytes = 0
    /// Of the output of queries that have not ended.
    package internal(set) var spooledBytes = 0

    /// Whether queries can be written down.
    package let isJournaled: Bool
    let wallClock: WallClock
    /// Records given to the journal so far, and how many of them are durable.
    package internal(set) var written: UInt64 = 0
    package internal(set) var durable: UInt64 = 0
    /// Whether the journal's database has not answered for a while.
    package internal(set) var journalIsStalled = false
    /// Queries that wait for a record to become durable, in the records' order.
    var awaitingJournal: Deque<(record: UInt64, query: QueryNumber)> = []
    /// Calls that are answered when a query's end is durable, in no order.
    var awaitedEnds: [(record: UInt64, stream: StreamKey)] = []
    /// Queries by their clients' names, as far as they are in memory.
    var numbersByKey: [IdempotencyKey: QueryNumber] = [:]
    /// Names that the journal may know.
    var knownNames: NameFilter
    /// Calls that wait for the journal's answer, in the order asked.
    var parked: Deque<ParkedCall> = []
    var nextLookup: UInt64 = 1

    package internal(set) var schedulerIsAttached = false
    /// The attached scheduler's.
    var policy = ""
    var schedulerGone: Instant?
    var markedWorkers: [WorkerID] = []
    var actions: [BrokerAction] = []
    private var nextNumber: UInt64
    private var nextLease: UInt64

    /// - Parameters:
    ///   - recovery: what the journal holds; nil for a broker without one, whose queries are all volatile.
    ///   - wallClock: how this process's instants and the times in the journal belong together.
    package init(
        configuration: BrokerConfiguration = BrokerConfiguration(),
        recovery: Recovery? = nil,
        wallClock: WallClock = WallClock(unixMilliseconds: 0, at: .zero),
        at now: Instant
    ) {
        self.configuration = configuration
        self.wallClock = wallClock
        isJournaled = recovery != nil
        knownNames = NameFilter(
            recovery?.keys ?? [],
            retention: configuration.nameRetention,
            capacity: configuration.nameCapacity,
            at: now
        )
        nextLease = UInt64(recovery?.epoch ?? configuration.leaseEpoch) << 32 | 1
        nextNumber = recovery?.nextNumber.rawValue ?? 1
        schedulerGone = now
        if let recovery { recover(recovery, at: now) }
    }

    /// Takes over what of another configuration can change while it works.
    package mutating func reconfigure(_ other: BrokerConfiguration) {
        configuration = configuration.adopting(other)
    }

    /// What is to be done since the last call, in order.
    ///
    /// Queries are handed to workers here, all that a worker gets together, so call it once at the end of a round of
    /// events.
    package mutating func takeActions(at now: Instant) -> [BrokerAction] {
        var taken: [BrokerAction] = []
        takeActions(at: now, into: &taken)
        return taken
    }

    /// The same into a list whose memory is used again; what was in it is dropped.
    package mutating func takeActions(at now: Instant, into taken: inout [BrokerAction]) {
        if !schedulerIsAttached { placeByFallback(at: now) }
        feedMarkedWorkers(at: now)
        taken.removeAll(keepingCapacity: true)
        swap(&actions, &taken)
    }

    package func query(_ id: QueryID) -> QueryRecord? {
        numbersByID[id].flatMap { queries[$0] }
    }

    package func query(_ number: QueryNumber) -> QueryRecord? {
        queries[number]
    }

    package func worker(_ id: WorkerID) -> WorkerRecord? {
        workers[id]
    }

    mutating func makeNumber() -> QueryNumber {
        defer { nextNumber += 1 }
        return QueryNumber(rawValue: nextNumber)
    }

    mutating func makeLease() -> Lease {
        defer { nextLease += 1 }
        return Lease(rawValue: nextLease)
    }

    mutating func tell(_ event: @autoclosure () -> ClusterEvent) {
        if schedulerIsAttached { actions.append(.tell(event())) }
    }

    mutating func mark(_ worker: WorkerID) {
        guard let place = workers.place(of: worker), !workers[place: place].isMarked else { return }
        workers[place: place].isMarked = true
        markedWorkers.append(worker)
    }
}

/// A query's deadline, or the end of its patience for a worker.
struct Timer: Comparable, Sendable {
    var at: Instant
    var query: QueryNumber

    static func < (left: Timer, right: Timer) -> Bool {
        (left.at, left.query) < (right.at, right.query)
    }
}
