import Brokering
import ServingModel
import Testing

/// A broker with a clock of its own.
///
/// It is ten seconds old, so that the fallback places unless a scheduler is attached.
struct BrokerRig {
    var broker: Broker
    var now = Instant.zero + .seconds(10)
    private var nextStream: UInt64 = 0
    private(set) var ids: [StreamKey: QueryID] = [:]

    /// - Parameter recovery: what the journal holds; nil for a broker without one.
    init(journaled recovery: Recovery? = nil, _ configure: (inout BrokerConfiguration) -> Void = { _ in }) {
        var configuration = BrokerConfiguration()
        configure(&configuration)
        // The wall clock shows ten seconds when the broker starts.
        broker = Broker(
            configuration: configuration,
            recovery: recovery,
            wallClock: WallClock(unixMilliseconds: 10_000, at: .zero),
            at: .zero
        )
    }

    mutating func join(
        _ worker: UInt64,
        model: String = "m",
        granted: UInt64 = 10,
        resumesPrefix: Bool = true,
        contextLength: Int = 4096,
        kvTokens: Int = 10_000,
        role: WorkerRole = .both,
        exchange: String = ""
    ) {
        var joined = WorkerJoined.sample(
            worker,
            model: model,
            resumesPrefix: resumesPrefix,
            contextLength: contextLength
        )
        joined.profile.kvCache.capacityTokens = kvTokens
        joined.role = role
        joined.kvExchange = exchange
        broker.workerJoined(joined, at: now)
        if granted > 0 { broker.workerPulled(WorkerID(rawValue: worker), granted: granted) }
    }

    /// Submits as a session's next call.
    mutating func submit(session: UInt64 = 1, _ change: (inout Submission) -> Void = { _ in }) throws -> StreamKey {
        var submission = Submission(model: "m", inputTokens: nil, promptBytes: 12, maxTokens: 8, request: [7])
        change(&submission)
        nextStream += 1
        let stream = StreamKey(session: SessionID(rawValue: session), stream: nextStream)
        let id = QueryID(high: 1, low: nextStream)
        try broker.submit(submission, id: id, from: stream, at: now)
        ids[stream] = id
        return stream
    }

    /// What a scheduler might say.
    mutating func place(_ query: QueryNumber, on worker: UInt64) {
        let attempt = broker.query(query)?.attempt ?? 0
        let worker = WorkerID(rawValue: worker)
        broker.place(
            Placement(query: query, attempt: attempt, worker: worker, predictedTimeToFirstToken: nil),
            at: now
        )
    }

    mutating func attach(to stream: StreamKey, session: UInt64 = 2, from index: Int = 0) throws -> StreamKey {
        nextStream += 1
        let reader = StreamKey(session: SessionID(rawValue: session), stream: nextStream)
        try broker.attach(Attachment(query: try #require(ids[stream]), firstIndex: index), by: reader)
        return reader
    }

    mutating func cancel(_ stream: StreamKey) -> Bool { broker.cancel(stream, at: now) }

    mutating func act() -> [BrokerAction] {
        let actions = broker.takeActions(at: now)
        broker.checkInvariants()
        return actions
    }

    /// What is dispatched now, over all workers.
    mutating func dispatched() -> [Assignment] { act().flatMap(\.assignments) }

    /// Everything there is to tell a stream.
    mutating func read(_ stream: StreamKey) -> [Delivery] {
        var deliveries: [Delivery] = []
        while let delivery = broker.nextDelivery(to: stream) { deliveries.append(delivery) }
        broker.checkInvariants()
        return deliveries
    }

    mutating func step(_ worker: UInt64, waiting: Int = 0, _ reports: LeaseReport...) {
        broker.workerStepped(
            WorkerID(rawValue: worker),
            WorkerStep(
                workload: StepWorkload(kind: .decode, decodeSequences: reports.count),
                duration: .milliseconds(5),
                reports: reports,
                waiting: waiting,
                freeKVTokens: 100
            ),
            at: now
        )
        broker.checkInvariants()
    }

    mutating func lose(_ worker: UInt64) {
        broker.workerLost(WorkerID(rawValue: worker), at: now)
        broker.checkInvariants()
    }

    mutating func tick(after interval: Interval = .zero) {
        now = now + interval
        _ = broker.tick(at: now)
        broker.checkInvariants()
    }

    func record(_ stream: StreamKey) throws -> QueryRecord {
        let id = try #require(ids[stream])
        return try #require(broker.query(id))
    }

    func id(_ stream: StreamKey) throws -> QueryID { try #require(ids[stream]) }
}

extension [BrokerAction] {
    /// What is to be written down.
    var records: [JournalRecord] { compactMap { if case .write(let record) = $0 { record } else { nil } } }
}

extension JournalRecord {
    var kind: String {
        switch self {
        case .accepted: "accepted"
        case .leased: "leased"
        case .retried: "retried"
        case .resumed: "resumed"
        case .checkpoint: "checkpoint"
        case .reset: "reset"
        case .ended: "ended"
        case .acknowledged: "acknowledged"
        }
    }

    var checkpoint: OutputPart? {
        if case .checkpoint(_, let part) = self { part } else { nil }
    }
}

extension QueryRecord {
    var endStatus: Status? {
        if case .ended(let status) = state { status } else { nil }
    }
}

extension AcceptedQuery {
    static func sample(_ number: UInt64, durability: Durability = .accept) -> AcceptedQuery {
        AcceptedQuery(
            number: QueryNumber(rawValue: number),
            id: QueryID(high: 9, low: number),
            durability: durability,
            model: "m",
            promptBytes: 12,
            maxTokens: 8,
            arrival: UnixTime(milliseconds: 1),
            request: [7]
        )
    }
}

extension BrokerAction {
    var assignments: [Assignment] {
        if case .dispatch(_, let assignments) = self { assignments } else { [] }
    }

    var event: ClusterEvent? {
        if case .tell(let event) = self { event } else { nil }
    }

    var revoked: [Lease] {
        if case .revoke(_, let leases) = self { leases } else { [] }
    }
}

extension LeaseReport {
    /// Tokens numbered from `first`, token n having the identifier n and the text "n ".
    static func tokens(
        _ lease: Lease,
        from first: Int,
        count: Int = 1,
        hasIDs: Bool = true,
        finish: FinishReason? = nil
    ) -> LeaseReport {
        var report = LeaseReport(lease: lease)
        report.firstIndex = first
        report.tokens = count
        report.tokenIDs = hasIDs ? (first..<first + count).map(Int32.init)[...] : []
        report.text = (first..<first + count).map { "\($0) " }.joined()
        report.finish = finish
        if finish != nil { report.inputTokens = 3 }
        return report
    }

    /// The KV cache `k` was left.
    static func left(_ lease: Lease) -> LeaseReport {
        var report = LeaseReport(lease: lease)
        report.handover = LeftCache(kvCache: "k", inputTokens: 3, bytes: 100)
        return report
    }

    static func failure(_ lease: Lease, _ status: Status) -> LeaseReport {
        var report = LeaseReport(lease: lease)
        report.failure = status
        return report
    }
}

extension Delivery {
    static func tokens(from first: Int, count: Int, hasIDs: Bool = true) -> Delivery {
        .tokens(
            firstIndex: first,
            count: count,
            ids: hasIDs ? (first..<first + count).map(Int32.init) : [],
            text: (first..<first + count).map { "\($0) " }.joined()
        )
    }

    var endStatus: Status? {
        switch self {
        case .end(let status), .givenUp(_, let status): status
        default: nil
        }
    }
}

extension WorkerJoined {
    static func sample(
        _ worker: UInt64,
        model: String = "m",
        resumesPrefix: Bool = true,
        contextLength: Int = 4096
    ) -> WorkerJoined {
        var profile = LatencyProfile(model: model, device: "test")
        profile.prefill.c1Milliseconds = 10
        profile.decode.c3Milliseconds = 4
        profile.kvCache.capacityTokens = 10_000
        return WorkerJoined(
            worker: WorkerID(rawValue: worker),
            name: "w\(worker)",
            engine: "emulated",
            contextLength: contextLength,
            resumesPrefix: resumesPrefix,
            batching: .chunked,
            profile: profile
        )
    }
}

/// The status that a call throws.
func refusal(_ body: () throws -> Void) throws -> Status {
    do {
        try body()
    } catch let status as Status {
        return status
    }
    return try #require(nil as Status?, "nothing was refused")
}
