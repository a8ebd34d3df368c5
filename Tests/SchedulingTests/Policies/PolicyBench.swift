import Scheduling
import ServingModel
import Testing

/// A cluster made by hand, to see where a policy sends queries.
struct PolicyBench {
    private(set) var scheduler: Scheduler
    private let now = Instant.zero

    init(_ policy: any PlacementPolicy, workers: UInt64 = 3, profile: LatencyProfile = .sample()) {
        scheduler = Scheduler(policy: policy)
        scheduler.apply((1...workers).map { .joined($0, profile: profile) } + [.snapshotComplete], at: .zero)
    }

    init(_ name: String, seed: UInt64 = 1, workers: UInt64 = 3, profile: LatencyProfile = .sample()) throws {
        self.init(try PolicyCatalog.make(name, seed: seed), workers: workers, profile: profile)
    }

    /// Puts a query into a worker's queue, past the policy.
    mutating func load(_ number: UInt64, on worker: UInt64, tokens: Int = 100) {
        scheduler.apply(.queued(number, inputTokens: tokens), at: now)
        scheduler.apply(.queryDispatched(QueryNumber(number), to: WorkerID(worker), attempt: 1), at: now)
    }

    /// Puts a query onto a worker and lets it run.
    mutating func run(_ number: UInt64, on worker: UInt64, tokens: Int = 100) {
        load(number, on: worker, tokens: tokens)
        scheduler.apply(.step(worker, number), at: now)
    }

    /// Lets a query arrive.
    ///
    /// - Returns: the worker that it is sent to.
    mutating func place(
        _ number: UInt64,
        tokens: Int = 100,
        blocks: [UInt64] = [],
        objective: ServiceLevelObjective = .standard
    ) throws -> UInt64 {
        guard case .queryQueued(var query) = ClusterEvent.queued(number, inputTokens: tokens, objective: objective)
        else { throw Unplaced() }
        query.blocks = blocks
        scheduler.apply(.queryQueued(query), at: now)
        let placements = scheduler.decide(at: now).placements
        guard placements.count == 1, placements[0].query == QueryNumber(number) else { throw Unplaced() }
        return placements[0].worker.rawValue
    }

    /// Lets a worker take a step that gives a token to each of these.
    mutating func step(_ worker: UInt64, _ number: UInt64) {
        scheduler.apply(.step(worker, number), at: now)
    }

    mutating func end(_ numbers: UInt64...) {
        for number in numbers { scheduler.apply(.ended(number), at: now) }
    }

    mutating func leave(_ worker: UInt64) {
        scheduler.apply(.workerLeft(WorkerID(worker), isDraining: true), at: now)
    }

    /// Whether the policy, which must be one that goes by prefixes, saw any.
    func sawPrefixes() throws -> Bool {
        try #require(scheduler.policy as? any PrefixAware).sawPrefixes
    }

    struct Unplaced: Error {}
}
