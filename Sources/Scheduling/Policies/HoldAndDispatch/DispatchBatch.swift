internal import ServingModel

/// Queries that go to one worker together.
struct DispatchBatch {
    /// At least one; the first is the one whose turn it is.
    private(set) var queries: [UnplacedQuery]
    /// Prompt tokens to prefill, and Σ s² of the prompts.
    private(set) var tokens: Int
    private(set) var squares: Int
    /// Contexts as soon as it runs.
    private(set) var contextTokens: Int
    /// The longest that one of them may grow to at most.
    private(set) var longestContext: Int
    /// Seconds of its prefill alone.
    private(set) var seconds: Double
    /// Whether the next of the queue did not fit in.
    var isFull = false

    init(of query: UnplacedQuery, on worker: WorkerView) {
        queries = [query]
        tokens = query.prefillTokens
        squares = query.prefillTokens * query.prefillTokens
        contextTokens = query.contextTokens
        longestContext = query.longestContext
        seconds = worker.batchSeconds(tokens: tokens, squares: squares)
    }

    func adding(_ query: UnplacedQuery, on worker: WorkerView) -> DispatchBatch {
        var grown = self
        grown.queries.append(query)
        grown.tokens += query.prefillTokens
        grown.squares += query.prefillTokens * query.prefillTokens
        grown.contextTokens += query.contextTokens
        grown.longestContext = max(longestContext, query.longestContext)
        grown.seconds = worker.batchSeconds(tokens: grown.tokens, squares: grown.squares)
        return grown
    }

    var head: UnplacedQuery { queries[0] }

    /// The earliest of its deadlines.
    var deadline: Instant { queries.reduce(.distantFuture) { min($0, $1.deadline) } }

    /// When the most urgent has no more slack than a share of its TTFT objective.
    func slackEnds(lastCall: Double) -> Instant {
        queries.reduce(.distantFuture) { earliest, query in
            let needed = Interval.seconds(rounding: seconds + lastCall * query.firstTokenTime)
            return min(earliest, Instant(nanoseconds: query.deadline.nanoseconds - needed.nanoseconds))
        }
    }
}

extension HoldAndDispatch {
    /// Share of a worker's KV cache that one batch may ask for: more of it would rule out every small worker of a pool.
    private static let memoryShare = 0.25

    /// The longest prefix of the queue that prefills soon enough on the worker whose turn it is; nil for an empty queue.
    func batch(from demand: Demand, on worker: WorkerView, in view: ClusterView) -> DispatchBatch? {
        guard let head = demand.queue.first else { return nil }
        var batch = DispatchBatch(of: head, on: worker)
        var budget = settings.batchShare * head.firstTokenTime
        var deadline = head.deadline
        let cap = tokenCap(on: worker, pool: demand.pool, in: view)
        let memory = Int(Self.memoryShare * Double(worker.admissibleKVTokens))
        batch.isFull = !settings.batches || batch.seconds >= budget || batch.tokens >= cap
        lazy var places = freePlaces(of: demand.pool, in: view)
        for query in demand.queue.dropFirst() {
            let grown = batch.adding(query, on: worker)
            budget = min(budget, settings.batchShare * query.firstTokenTime)
            deadline = min(deadline, query.deadline)
            guard settings.batches, grown.seconds <= budget, grown.tokens <= cap,
                grown.queries.count <= worker.freePlaces || grown.queries.count <= places,
                grown.contextTokens <= memory,
                demand.now + .seconds(rounding: grown.seconds) <= deadline
            else {
                batch.isFull = true
                break
            }
            batch = grown
        }
        return batch
    }

    /// The most places that one worker of a pool has free; one if they are all taken, since one is what comes free next.
    private func freePlaces(of pool: [Int], in view: ClusterView) -> Int {
        pool.reduce(1) { max($0, view.workers[$1].freePlaces) }
    }

    /// Prompt tokens that a worker takes in with one step.
    private func tokenCap(on worker: WorkerView, pool: [Int], in view: ClusterView) -> Int {
        let limits = worker.profile.limits
        guard worker.isChunked else { return limits.maximumBatchedTokens }
        let residents = pool.reduce(0) { $0 + view.workers[$1].residents.count }
        return limits.chunkTokens - Int(1.2 * Double(residents) / Double(pool.count))
    }
}

extension WorkerView {
    /// Seconds that the prompts of a batch take, apart from the decodes beside them.
    func batchSeconds(tokens: Int, squares: Int) -> Double {
        guard tokens > 0 else { return 0 }
        guard isChunked else { return model.prefill(tokens: Double(tokens), squares: Double(squares)) }
        return model.k1 * Double(tokens) + model.k1q * Double(squares)
    }
}
