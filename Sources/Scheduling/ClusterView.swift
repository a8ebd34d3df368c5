package import ServingModel

/// What the scheduler believes of the cluster, rebuilt from events alone.
package struct ClusterView: Sendable {
    package internal(set) var workers: [WorkerID: WorkerView] = [:]
    /// Keys of `workers`, in order: what loops run over.
    package internal(set) var workerOrder: [WorkerID] = []
    package internal(set) var queries: [QueryNumber: QueryView] = [:]
    /// Waiting to be placed, in order of arrival.
    ///
    /// Placing removes.
    package internal(set) var unplaced: [QueryNumber] = []
    package internal(set) var promptLengths = PromptLengthEstimator()

    package init() {}

    /// Workers that take new queries for a model, in order.
    package func workers(serving model: String) -> [WorkerView] {
        workerOrder.compactMap { id in
            guard let worker = workers[id], !worker.isDraining, worker.profile.model == model else { return nil }
            return worker
        }
    }
}

/// One query that has not ended.
package struct QueryView: Sendable {
    package enum Stage: Hashable, Sendable {
        case unplaced
        /// Sent to a worker's queue; no token from there yet.
        case waiting(WorkerID)
        case running(WorkerID)
    }

    package let queued: QueuedQuery
    package let arrival: Instant
    /// Prompt and output that an earlier attempt produced: what a prefill takes in.
    package let prefillTokens: Int
    package internal(set) var stage = Stage.unplaced
    /// Output so far, that of earlier attempts included.
    package internal(set) var outputTokens: Int
    package internal(set) var firstToken: Instant?

    package var worker: WorkerID? {
        switch stage {
        case .unplaced: nil
        case .waiting(let worker), .running(let worker): worker
        }
    }

    /// Tokens that its KV cache holds once it runs.
    package var contextTokens: Int { prefillTokens - queued.outputTokens + outputTokens }
}

/// One worker: what it can do, and what it has been given.
package struct WorkerView: Sendable {
    package let joined: WorkerJoined
    package internal(set) var isDraining = false
    package internal(set) var estimator: StepTimeEstimator
    /// Queries placed here without a first token, and the tokens that their prefills take in.
    package internal(set) var waitingQueries = 0
    package internal(set) var waitingTokens = 0
    /// Queries that decode, and their contexts.
    package internal(set) var runningQueries = 0
    package internal(set) var contextTokens = 0
    package internal(set) var lastStepEnd: Instant?

    package var id: WorkerID { joined.worker }
    package var profile: LatencyProfile { joined.profile }
    /// All that it has not finished.
    package var load: Int { waitingQueries + runningQueries }

    init(joined: WorkerJoined) {
        self.joined = joined
        estimator = StepTimeEstimator(registered: joined.profile)
    }
}
