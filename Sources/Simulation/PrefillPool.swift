internal import Batching
internal import HeapModule
internal import ServingModel

/// The prefill workers of split-phase serving, and the KV caches on their way from them.
///
/// A prompt goes to the worker with the least of (rest of its step + k1 · waiting tokens), the lowest index on ties; the
/// scheduler has no say in it.
struct PrefillPool: Sendable {
    let split: SplitPhase
    private(set) var workers: [SimulatedWorker]
    private var stepEnds = Heap<StepEnd>()
    private(set) var transfers = Heap<Delivery>()
    private var prefills = 0

    init(_ split: SplitPhase, noise: StepTimeNoise?) {
        self.split = split
        workers = split.profiles.enumerated().map { index, profile in
            // Streams of noise below those of the decode workers'.
            SimulatedWorker(profile: profile, mode: .prefillPriority, handsOver: true, noise: noise, stream: -1 - index)
        }
    }

    var nextEvent: Instant? {
        switch (stepEnds.min?.time, transfers.min?.time) {
        case (let end?, let transfer?): min(end, transfer)
        case (let end, let transfer): end ?? transfer
        }
    }

    /// Queries in a queue, in a step or on their way.
    var count: Int { workers.reduce(transfers.count) { $0 + $1.batch.count } }

    /// Whether a worker could ever compute a prompt.
    func canTake(tokens: Int) -> Bool {
        workers.allSatisfy { $0.batch.canEverFit(promptTokens: tokens, maxTokens: 1) }
    }

    /// Sends a prompt, output so far included, to a worker's queue.
    mutating func enqueue(_ query: Int, _ queries: [QueryProgress], at now: Instant) {
        var best = 0
        var least = Double.infinity
        for (index, worker) in workers.enumerated() {
            let residual = worker.isBusy ? (worker.stepEnd - now).seconds : 0
            let cost = residual + worker.profile.prefill.k1Milliseconds / 1000 * Double(worker.batch.waitingTokens)
            if cost < least { (best, least) = (index, cost) }
        }
        workers[best].enqueue(query, queries[query])
    }

    /// Ends the steps that end now.
    ///
    /// - Returns: queries whose first token was their last.
    mutating func completeSteps(_ queries: inout [QueryProgress], at now: Instant) -> [Int] {
        var finished: [Int] = []
        while let end = stepEnds.min, end.time == now {
            stepEnds.removeMin()
            let outcome = workers[end.worker].completeStep(at: now, &queries)
            finished += outcome.finished
            for query in outcome.started where queries[query].remainingTokens > 0 {
                let profile = workers[end.worker].profile
                // The token just made is not in the cache yet.
                let time = split.transferTime(tokens: queries[query].contextTokens - 1, from: profile)
                transfers.insert(Delivery(time: now + time, dispatch: prefills, query: query, worker: end.worker))
                prefills += 1
            }
        }
        return finished
    }

    /// - Returns: queries whose KV cache arrives now, the earlier prefill first.
    mutating func completeTransfers(at now: Instant) -> [Int] {
        var ready: [Int] = []
        while let transfer = transfers.min, transfer.time == now {
            transfers.removeMin()
            ready.append(transfer.query)
        }
        return ready
    }

    mutating func startSteps(_ queries: inout [QueryProgress], at now: Instant) {
        for index in workers.indices where !workers[index].isBusy {
            guard let duration = workers[index].startStep(&queries, at: now) else { continue }
            stepEnds.insert(StepEnd(time: now + duration, worker: index))
        }
    }

    func checkInvariants() {
        for worker in workers {
            worker.batch.checkInvariants()
            precondition(worker.batch.runningCount == 0, "a prefill worker decodes")
        }
        precondition(stepEnds.count == workers.count(where: \.isBusy))
    }
}
