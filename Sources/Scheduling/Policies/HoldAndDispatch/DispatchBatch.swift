internal import RecordTables
internal import ServingModel

/// Queries that go to one worker together.
struct DispatchBatch {
    /// At least one; the first is the one whose turn it is.
    private(set) var queries: [UnplacedQuery]
    /// Prompt tokens to prefill, and Σ s² of the prompts, less what the worker holds already.
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
    /// Prompt tokens that the worker is believed to hold already.
    private(set) var cachedTokens = 0
    /// Whether one of its queries says what its prompt begins with.
    private(set) var namesPrefixes: Bool
    /// Whether its size hangs on workers other than the one whose turn it is.
    var reliesOnOthers = false

    /// - Parameter cached: those of the prompt's tokens that the worker holds already.
    init(of query: UnplacedQuery, cached: Int = 0, on worker: PromptTiming) {
        queries = [query]
        tokens = query.prefillTokens - cached
        squares = query.prefillTokens * query.prefillTokens - cached * cached
        cachedTokens = cached
        namesPrefixes = query.namesPrefix
        contextTokens = query.contextTokens
        longestContext = query.longestContext
        seconds = worker.seconds(tokens: tokens, squares: squares)
    }

    /// Seconds of its prefill with one more.
    func seconds(with query: UnplacedQuery, cached: Int = 0, on worker: PromptTiming) -> Double {
        worker.seconds(
            tokens: tokens + query.prefillTokens - cached,
            squares: squares + query.prefillTokens * query.prefillTokens - cached * cached
        )
    }

    mutating func add(_ query: UnplacedQuery, cached: Int = 0, on worker: PromptTiming) {
        seconds = seconds(with: query, cached: cached, on: worker)
        queries.append(query)
        tokens += query.prefillTokens - cached
        squares += query.prefillTokens * query.prefillTokens - cached * cached
        cachedTokens += cached
        namesPrefixes = namesPrefixes || query.namesPrefix
        contextTokens += query.contextTokens
        longestContext = max(longestContext, query.longestContext)
    }

    /// The same on another worker, which holds other beginnings of its prompts.
    func adapted(to slot: Int, in view: ClusterView) -> DispatchBatch {
        guard namesPrefixes else { return self }
        var result = self
        let prompts = queries.reduce(into: (tokens: 0, squares: 0, cached: 0)) { sum, query in
            let cached = view.cachedTokens(of: query, onSlot: slot)
            sum.tokens += query.prefillTokens - cached
            sum.squares += query.prefillTokens * query.prefillTokens - cached * cached
            sum.cached += cached
        }
        (result.tokens, result.squares, result.cachedTokens) = prompts
        result.seconds = view.workers[slot].promptTiming.seconds(tokens: prompts.tokens, squares: prompts.squares)
        return result
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
    func batch(from demand: Demand, on slot: Int, in view: ClusterView) -> DispatchBatch? {
        var rest = demand.queue(in: view)
        guard let head = rest.next() else { return nil }
        let free = view.workers[slot].freePlaces
        let timing = view.workers[slot].promptTiming
        var batch = DispatchBatch(of: head, cached: view.cachedTokens(of: head, onSlot: slot), on: timing)
        var budget = settings.batchShare * head.firstTokenTime
        var deadline = head.deadline
        let cap = view.tokenCap(on: slot, pool: demand.pool)
        let memory = Int(Self.memoryShare * Double(view.workers[slot].admissibleKVTokens))
        batch.isFull = !settings.batches || batch.seconds >= budget || batch.tokens >= cap
        lazy var places = view.freePlaces(ofPool: demand.pool)
        while let query = rest.next() {
            let cached = view.cachedTokens(of: query, onSlot: slot)
            let seconds = batch.seconds(with: query, cached: cached, on: timing)
            let count = batch.queries.count + 1
            budget = min(budget, settings.batchShare * query.firstTokenTime)
            deadline = min(deadline, query.deadline)
            batch.isFull = true
            guard settings.batches, seconds <= budget, batch.tokens + query.prefillTokens - cached <= cap
            else { break }
            if count > free {
                batch.reliesOnOthers = true
                guard count <= places else { break }
            }
            guard batch.contextTokens + query.contextTokens <= memory,
                demand.now + .seconds(rounding: seconds) <= deadline
            else { break }
            batch.isFull = false
            batch.add(query, cached: cached, on: timing)
        }
        return batch
    }
}

extension ClusterView {
    /// The most places that one worker of a pool has free; one if they are all taken, since one is what comes free next.
    fileprivate func freePlaces(ofPool pool: Int) -> Int {
        pools[pool].slots.reduce(1) { max($0, workers[$1].freePlaces) }
    }

    /// Prompt tokens that a worker takes in with one step.
    func tokenCap(on slot: Int, pool: Int) -> Int {
        guard workers[slot].isChunked else { return workers[slot].joined.profile.limits.maximumBatchedTokens }
        let residents = Double(pools[pool].residents) / Double(pools[pool].slots.count)
        return workers[slot].joined.profile.limits.chunkTokens - Int(1.2 * residents)
    }
}

/// What a worker's prompts take, without the worker.
struct PromptTiming {
    let isChunked: Bool
    let model: StepModel

    /// Seconds that the prompts of a batch take, apart from the decodes beside them.
    func seconds(tokens: Int, squares: Int) -> Double {
        guard tokens > 0 else { return 0 }
        guard isChunked else { return model.prefill(tokens: Double(tokens), squares: Double(squares)) }
        return model.k1 * Double(tokens) + model.k1q * Double(squares)
    }
}

extension WorkerView {
    var promptTiming: PromptTiming { PromptTiming(isChunked: isChunked, model: model) }

    /// `Hazard.rise`, asked of the worker: where it lies, no copy of it is made.
    func rise(of batch: DispatchBatch, _ hazard: Hazard, limit: Double = .infinity) -> Hazard.Choice {
        hazard.rise(of: batch, on: self, limit: limit)
    }
}
