/// Why a query ran where it did, what was predicted of it, and what then happened.
///
/// Times are from the query's arrival.
package struct QueryExplanation: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case queued
        /// In a worker's queue, not pulled yet.
        case placed
        case running
        case ended(Status)
    }

    /// One attempt, from its latest placement on.
    package struct Attempt: Hashable, Sendable {
        package var number: Int
        package var worker: WorkerID
        package var workerName: String
        /// The scheduler's; empty if none was connected and the broker placed the query itself.
        package var policy: String
        package var placed: Interval
        /// How often it was placed before a worker pulled it.
        package var placements = 1
        package var dispatched: Interval?
        package var firstToken: Interval?
        /// Why it came to nothing, and when.
        package var failure: Status?
        package var failed: Interval?
        package var predictedTimeToFirstToken: Interval?
        package var predictedTokenTime: Interval?
        package var explanation: PlacementExplanation?

        /// What of the attempt this worker was for: one that is split between two has an entry for each.
        package var phase = AttemptPhase.whole
        /// When its KV cache lay ready for the second of them.
        package var handedOver: Interval?

        package init(number: Int, worker: WorkerID, workerName: String, policy: String, placed: Interval) {
            self.number = number
            self.worker = worker
            self.workerName = workerName
            self.policy = policy
            self.placed = placed
        }
    }

    package var id: QueryID
    package var model: String
    package var tenant = ""
    package var priority = 0
    package var objective: ServiceLevelObjective
    package var state = State.queued
    /// How long ago it arrived.
    package var age = Interval.zero
    /// Nil if only the worker's tokeniser can tell, and has not yet.
    package var inputTokens: Int?
    package var maxTokens = 0
    package var outputTokens = 0
    /// Those that were placed, in order.
    package var attempts: [Attempt] = []
    package var firstToken: Interval?
    package var ended: Interval?
    /// Mean gap between the tokens so far; nil for fewer than two.
    package var averageTokenTime: Interval?
    /// Nil before the end, and for a query whose end says nothing about the service.
    package var metObjective: Bool?
    /// Names of the workers in explanations, as far as they are still connected, in order of number.
    package var workers: [NamedWorker] = []

    package init(id: QueryID, model: String, objective: ServiceLevelObjective) {
        self.id = id
        self.model = model
        self.objective = objective
    }

    package func name(of worker: WorkerID) -> String? {
        workers.first { $0.worker == worker }?.name
    }
}

/// A worker's number and what it calls itself.
package struct NamedWorker: Hashable, Sendable {
    package var worker: WorkerID
    package var name: String

    package init(worker: WorkerID, name: String) {
        self.worker = worker
        self.name = name
    }
}
