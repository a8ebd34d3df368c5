import Brokering
import ServingModel
import Testing

/// A scheduler that knows what it is told: live queries, which of them it has placed, and the workers.
struct ScriptedScheduler {
    private(set) var numbers: Set<QueryNumber> = []
    private(set) var unplaced: [QueuedQuery] = []
    private(set) var workers: [WorkerID] = []
    private(set) var isReady = false
    /// Decisions on their way to the broker.
    var underWay: [Placement] = []
    /// Decisions of before, to be repeated by a scheduler that is behind.
    private(set) var past: [Placement] = []

    mutating func hear(_ event: ClusterEvent) {
        switch event {
        case .workerJoined(let joined): workers.append(joined.worker)
        case .workerLeft(let worker, _): workers.removeAll { $0 == worker }
        case .queryQueued(let query):
            unplaced.removeAll { $0.number == query.number }
            unplaced.append(query)
            numbers.insert(query.number)
        case .queryDispatched(let number, _, _):
            #expect(numbers.contains(number), "only a known query is dispatched")
            unplaced.removeAll { $0.number == number }
        case .queryEnded(let ended):
            #expect(numbers.remove(ended.query) != nil, "a query ends once")
            unplaced.removeAll { $0.number == ended.query }
        case .snapshotComplete: isReady = true
        case .stepCompleted: break
        }
    }

    mutating func decide(using generator: inout SeededGenerator) {
        guard isReady, let query = unplaced.first, let worker = workers.randomElement(using: &generator) else { return }
        unplaced.removeFirst()
        let placement = Placement(
            query: query.number,
            attempt: query.attempt,
            worker: worker,
            predictedTimeToFirstToken: Bool.random(using: &generator) ? .milliseconds(20) : nil,
            predictedTokenTime: .milliseconds(5),
            explanation: Bool.random(using: &generator)
                ? PlacementExplanation(reason: "chance", held: query.age, batch: 1, candidates: []) : nil
        )
        underWay.append(placement)
        past.append(placement)
    }
}

extension ClusterScenario {
    mutating func schedule() {
        guard broker.schedulerIsAttached else { return }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: if let old = scheduler.past.suffix(20).randomElement(using: &generator) { broker.place(old, at: now) }
        case 1..<6: scheduler.decide(using: &generator)
        default: deliverDecision()
        }
    }

    mutating func deliverDecision() {
        guard !scheduler.underWay.isEmpty else { return }
        broker.place(scheduler.underWay.removeFirst(), at: now)
    }

    mutating func toggleScheduler() {
        if broker.schedulerIsAttached, chance(50) {
            settle()
            broker.schedulerDetached(at: now)
            scheduler = ScriptedScheduler()
        } else {
            scheduler = ScriptedScheduler()
            broker.schedulerAttached(at: now)
        }
    }
}
