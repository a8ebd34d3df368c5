internal import Brokering
internal import HeapModule
internal import Scheduling
internal import ServingModel

/// A whole service in one thread and in virtual time, with everything that can fail failing: the production broker and
/// scheduler, workers on the production batch, clients that keep to the protocol, a network, a journal's disk.
///
/// All of it follows from the seed. After every event the invariants (`FaultInvariant`) are checked against a ledger
/// of what really happened; the first that does not hold ends the run.
package struct FaultyCluster {
    package let seed: UInt64
    let plan: FaultPlan
    let sabotage: Sabotage?

    var generator: SeededGenerator
    var now = Instant.zero
    private var agenda = Heap<FaultEntry>()
    private var scheduled: UInt64 = 0
    package private(set) var events = 0

    var process = FaultBroker()
    var broker: Broker
    let brokerConfiguration: BrokerConfiguration
    var disk = SimulatedDisk()
    var peers: [FaultPeer] = []
    var clients: [FaultClient] = []
    var workers: [FaultWorker] = []
    var schedulers: [FaultScheduler] = []
    var works: [FaultWork] = []
    var calls: [FaultCall] = []
    var ledger = FaultLedger()
    /// KV caches that lie ready, by name.
    var caches: [String: FaultCache] = [:]
    var nextID: UInt64 = 1
    /// Whether faults have stopped; nothing new begins then.
    var isCalm = false
    /// Whether the results are being read once more.
    var isReadingBack = false

    package internal(set) var violation: FaultViolation?
    /// How often each kind of thing happened.
    package internal(set) var coverage = FaultCoverage()
    /// The last events in words, if the run is traced.
    package private(set) var story: [String] = []
    private let storyLimit: Int

    /// - Parameter storyLimit: how many of the last events are kept in words; 0 for none, which is much faster.
    package init(seed: UInt64, plan: FaultPlan? = nil, sabotage: Sabotage? = nil, storyLimit: Int = 0) {
        self.seed = seed
        self.plan = plan ?? FaultPlan(seed: seed)
        self.sabotage = sabotage
        self.storyLimit = storyLimit
        generator = SeededGenerator(seed: seed)
        brokerConfiguration = Self.brokerConfiguration
        broker = Broker(configuration: brokerConfiguration, at: .zero)
        populate()
    }

    /// Times are short, so that a few virtual seconds see all of them run out.
    private static var brokerConfiguration: BrokerConfiguration {
        var configuration = BrokerConfiguration()
        configuration.maximumQueries = 60
        configuration.maximumQueriesPerSession = 24
        configuration.maximumLookups = 16
        configuration.retryPause = .milliseconds(50)
        configuration.retryPauseLimit = .milliseconds(400)
        configuration.enginePatience = .milliseconds(1500)
        configuration.maximumLosses = 5
        configuration.suspectPatience = .milliseconds(300)
        configuration.checkpointTokens = 8
        configuration.checkpointInterval = .milliseconds(60)
        configuration.noWorkerPatience = .milliseconds(1500)
        configuration.durableNoWorkerPatience = .seconds(8)
        configuration.schedulerGrace = .milliseconds(300)
        configuration.resultRetention = .milliseconds(900)
        configuration.maximumRetainedResults = 20
        configuration.maximumExplanations = 30
        return configuration
    }

    /// Runs until everything has come to its end, something is wrong, or patience is over.
    package mutating func run() {
        let end = Instant.zero + plan.unrest + plan.patience
        while violation == nil, let entry = agenda.popMin() {
            now = max(now, entry.at)
            guard now <= end else { break }
            events += 1
            handle(entry.event)
            if isCalm, isFinished {
                guard !isReadingBack else { break }
                readBack()
            }
        }
        checkEnd()
    }

    mutating func schedule(_ event: FaultEvent, at instant: Instant) {
        scheduled += 1
        agenda.insert(FaultEntry(at: max(instant, now), order: scheduled, event: event))
    }

    mutating func schedule(_ event: FaultEvent, after milliseconds: Double) {
        schedule(event, at: now + .seconds(rounding: milliseconds / 1000))
    }

    private mutating func handle(_ event: FaultEvent) {
        switch event {
        case .toBroker(let peer, let route, let session, let request):
            guard !postponedForBroker(event) else { return }
            arriveAtBroker(peer, route, session, request)
        case .toPeer(let peer, let route, let session, let reply):
            guard !postponed(event, for: peer) else { return }
            arriveAtPeer(peer, route, session, reply)
        case .round(let boot), .tick(let boot), .brokerBeat(let boot), .synced(let boot), .found(let boot, _, _):
            guard boot == process.boot, process.isUp, !postponedForBroker(event) else { return }
            wakeBroker(event)
        case .startBroker: startBroker()
        case .startPeer(let peer, let incarnation): startPeer(peer, incarnation)
        case .beat(let peer, let incarnation):
            guard incarnation == peers[peer].incarnation, !postponed(event, for: peer) else { return }
            beat(peer)
        case .act(let client):
            guard !postponed(event, for: client) else { return }
            act(client)
        case .read(let client):
            guard !postponed(event, for: client) else { return }
            read(client)
        case .stepEnded(let worker, let incarnation, let step):
            let peer = peer(ofWorker: worker)
            guard incarnation == peers[peer].incarnation, !postponed(event, for: peer) else { return }
            endStep(of: worker, step)
        case .decide(let scheduler, let incarnation):
            let peer = peer(ofScheduler: scheduler)
            guard incarnation == peers[peer].incarnation, !postponed(event, for: peer) else { return }
            decide(scheduler)
        case .wake(let worker, let incarnation):
            guard incarnation == peers[peer(ofWorker: worker)].incarnation else { return }
            workers[worker].isHanging = false
            startStep(of: worker)
        case .reconnect(let peer, let route):
            guard !postponed(event, for: peer) else { return }
            reconnect(peer, route)
        case .fault: strike()
        case .calm: calmDown()
        }
    }

    /// A stopped process does what came meanwhile when it goes on, in order.
    private mutating func postponed(_ event: FaultEvent, for peer: Int) -> Bool {
        guard peers[peer].pausedUntil > now else { return false }
        schedule(event, at: peers[peer].pausedUntil)
        return true
    }

    private mutating func postponedForBroker(_ event: FaultEvent) -> Bool {
        guard process.pausedUntil > now else { return false }
        schedule(event, at: process.pausedUntil)
        return true
    }

    mutating func fail(_ invariant: FaultInvariant, _ message: String) {
        guard violation == nil else { return }
        let found = FaultViolation(
            invariant: invariant,
            message: message,
            milliseconds: (now - .zero).milliseconds
        )
        violation = found
        tell("VIOLATION \(found)")
    }

    mutating func tell(_ line: @autoclosure () -> String) {
        guard storyLimit > 0 else { return }
        if story.count >= 2 * storyLimit { story.removeFirst(storyLimit) }
        story.append("\((now - .zero).nanoseconds / 1000) us  \(line())")
    }

    // MARK: Chance

    mutating func chance(_ probability: Double) -> Bool { probability > 0 && generator.uniform() < probability }

    mutating func pick(_ bound: Int) -> Int { generator.index(below: bound) }

    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + generator.index(below: range.count)
    }

    func peer(ofWorker worker: Int) -> Int { clients.count + worker }
    func peer(ofScheduler scheduler: Int) -> Int { clients.count + workers.count + scheduler }
}
