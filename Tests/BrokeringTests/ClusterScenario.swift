import Brokering
import ServingModel
import Testing

/// A broker with random clients, workers and a random scheduler around it.
///
/// Each of them believes only what it was told. After every event the machine's invariants hold; what clients read is compared with what workers sent under
/// the leases that count.
struct ClusterScenario {
    struct Query {
        var maxTokens: Int
        var lease: Lease?
        /// What counts so far, a text for each token.
        var texts: [String] = []
        var hasUnknownIDs = false
        var hasEnded = false
    }

    struct Execution {
        let query: QueryID
        let lease: Lease
        var index: Int
        let resumed: Int
    }

    struct Worker {
        let id: WorkerID
        let resumesPrefix: Bool
        let knowsIDs: Bool
        var granted: UInt64 = 0
        var received: UInt64 = 0
        var isDraining = false
        var executions: [Execution] = []
        /// Revocations on their way to it.
        var revoked: [Lease] = []
    }

    struct Call {
        let query: QueryID
        var cursor: Int
        var isFirst = true
        var wasAccepted = false
        var wasFinished = false
        var attempts = 0
        var end: Status?
    }

    var generator: SeededGenerator
    var broker: Broker
    var now = Instant.zero
    var queries: [QueryID: Query] = [:]
    var queryOrder: [QueryID] = []
    var workers: [Worker] = []
    var calls: [StreamKey: Call] = [:]
    var openCalls: [StreamKey] = []
    /// Streams that have been announced and not been read to the end since: only these are read.
    var announced: Set<StreamKey> = []
    var scheduler = ScriptedScheduler()
    var nextStream: UInt64 = 0
    var nextWorker: UInt64 = 0
    var lastLease = Lease(rawValue: 0)
    /// What the seeds reached, so that a test can tell that they reach enough.
    var reached: [String: Int] = [:]

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        var configuration = BrokerConfiguration()
        configuration.maximumQueries = 40
        configuration.maximumQueriesPerSession = 20
        configuration.maximumAttempts = 4
        configuration.noWorkerPatience = .milliseconds(800)
        configuration.schedulerGrace = .milliseconds(300)
        configuration.resultRetention = .milliseconds(500)
        configuration.maximumRetainedResults = 10
        configuration.maximumExplanations = 15
        broker = Broker(configuration: configuration, at: .zero)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    mutating func count(_ what: String) { reached[what, default: 0] += 1 }

    /// One random event, and what follows from it.
    mutating func act() {
        now = now + .milliseconds(Int64.random(in: 0...20, using: &generator))
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<20: submit()
        case 20..<26: attach()
        case 26..<31: cancel()
        case 31..<32: endSession()
        case 32..<36: join()
        case 36..<38: lose()
        case 38..<39: drain()
        case 39..<49: pull()
        case 49..<75: step()
        case 75..<83: read(limit: Int.random(in: 1...4, using: &generator))
        case 83..<92: schedule()
        case 92..<93: toggleScheduler()
        default: _ = broker.tick(at: now)
        }
        broker.checkInvariants()
        if chance(70) { settle() }
    }

    /// Takes the machine's actions and hands them to whom they concern.
    mutating func settle() {
        let actions = broker.takeActions(at: now)
        broker.checkInvariants()
        for action in actions {
            switch action {
            case .announce(let stream): announced.insert(stream)
            case .tell(let event):
                #expect(broker.schedulerIsAttached)
                scheduler.hear(event)
            case .revoke(let id, let leases):
                guard let position = workers.firstIndex(where: { $0.id == id }) else { continue }
                workers[position].revoked += leases
                count("revoked")
            case .dispatch(let id, let assignments): dispatch(assignments, to: id)
            case .write, .lookUp, .refuse, .answer, .explain, .expel, .trace:
                Issue.record("not without a journal, nor so soon: \(action)")
            }
        }
        if broker.schedulerIsAttached {
            let known = broker.liveQueries - broker.restingQueries
            #expect(scheduler.numbers.count == known, "the scheduler knows the live queries that do not rest")
        }
    }

    private mutating func dispatch(_ assignments: [Assignment], to id: WorkerID) {
        guard let position = workers.firstIndex(where: { $0.id == id }) else {
            Issue.record("a dispatch to nobody")
            return
        }
        for assignment in assignments {
            #expect(assignment.lease > lastLease, "leases increase")
            lastLease = assignment.lease
            workers[position].received += 1
            #expect(workers[position].received <= workers[position].granted, "no grant is exceeded")
            #expect(!workers[position].isDraining, "a draining worker gets nothing")
            guard var query = queries[assignment.id] else {
                Issue.record("a dispatch of an unknown query")
                return
            }
            #expect(query.lease == nil && !query.hasEnded, "one execution at a time, and none after the end")
            if !query.texts.isEmpty, query.hasUnknownIDs || !workers[position].resumesPrefix {
                count("reset")
                query.texts = []
                query.hasUnknownIDs = false
            } else if !query.texts.isEmpty {
                count("resumed")
            }
            #expect(assignment.resumedTokens.count == query.texts.count, "the prefix is what counted")
            for (index, token) in assignment.resumedTokens.enumerated() {
                #expect(Self.identifier(of: query.texts[index]) == token)
            }
            query.lease = assignment.lease
            queries[assignment.id] = query
            let resumed = assignment.resumedTokens.count
            workers[position].executions.append(
                Execution(query: assignment.id, lease: assignment.lease, index: resumed, resumed: resumed)
            )
        }
    }

    /// Lets everything come to its end: nothing new arrives, and everybody does what they are there for.
    mutating func drainEverything() {
        nextWorker = max(nextWorker, 1000)
        workers.removeAll { worker in
            if worker.isDraining { broker.workerLost(worker.id, at: now) }
            return worker.isDraining
        }
        for id in queryOrder where !workers.contains(where: { $0.executions.contains { $0.query == id } }) {
            queries[id]?.lease = nil
        }
        for _ in 0..<2 { join() }
        for _ in 0..<400 where broker.liveQueries > 0 || !openCalls.isEmpty || !workers.allSatisfy(\.executions.isEmpty)
        {
            now = now + .milliseconds(10)
            settle()
            while !scheduler.unplaced.isEmpty, !scheduler.workers.isEmpty, broker.schedulerIsAttached {
                scheduler.decide(using: &generator)
            }
            while !scheduler.underWay.isEmpty { deliverDecision() }
            for position in workers.indices {
                workers[position].granted = workers[position].received + 4
                broker.workerPulled(workers[position].id, granted: workers[position].granted)
                step(position, failures: 0, finishing: 40)
                broker.checkInvariants()
            }
            _ = broker.tick(at: now)
            for stream in openCalls where announced.contains(stream) { read(stream, limit: .max) }
        }
    }

    static func text(_ lease: Lease, _ index: Int) -> String { "\(lease.rawValue).\(index) " }

    static func identifier(of text: String) -> Int32 {
        text.utf8.reduce(Int32(7)) { $0 &* 31 &+ Int32($1) }
    }
}
