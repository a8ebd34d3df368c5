import ServingModel
import Simulation

/// Split-phase serving written down sentence by sentence, every token counted and everything looked at each time.
///
/// Decode workers are chosen in turn or by the fewest unfinished queries. Nothing of the simulator is used but its input
/// and the form of its records.
struct NaiveSplitCluster {
    struct Query {
        var arrival: Int64
        var inputTokens: Int
        var outputTokens: Int
        var generated = 0
        var ready: Int64?
        /// Its KV cache is on the decode worker, or waits there.
        var hasCache = false
        var admission = 0
        var record = QueryRecord()
        var context: Int { inputTokens + generated }
    }

    struct Worker {
        var waiting: [Int] = []
        var running: [Int] = []
        var prefilling: [Int] = []
        var end: Int64?
        var admissions = 0
    }

    let profile: LatencyProfile
    let joinsShortestQueue: Bool
    var queries: [Query]
    var prefill: [Worker]
    var decode: [Worker]
    var now: Int64 = 0
    var turn = 0
    /// Queries on their way, in the order of their prefills.
    var moving: [Int] = []

    init(_ trace: [SimulatedQuery], prefill: Int, decode: Int, profile: LatencyProfile, joinsShortestQueue: Bool) {
        self.profile = profile
        self.joinsShortestQueue = joinsShortestQueue
        queries = trace.map {
            Query(arrival: $0.arrival.nanoseconds, inputTokens: $0.inputTokens, outputTokens: $0.outputTokens)
        }
        self.prefill = Array(repeating: Worker(), count: prefill)
        self.decode = Array(repeating: Worker(), count: decode)
    }

    mutating func replay() -> [QueryRecord] {
        while let next = nextTime {
            now = next
            for worker in prefill.indices where prefill[worker].end == now { endPrefill(worker) }
            for worker in decode.indices where decode[worker].end == now { endDecodeWorkerStep(worker) }
            let ready = moving.filter { queries[$0].ready == now }
            moving.removeAll { queries[$0].ready == now }
            // The central queue is ordered by deadline; with one objective for all that is the order of arrival.
            let arrivals = queries.indices.filter { queries[$0].arrival == now && queries[$0].record.arrival == nil }
            for query in arrivals { arrive(query) }
            for query in ready.sorted() { place(query) }
            for worker in prefill.indices where prefill[worker].end == nil { startPrefill(worker) }
            for worker in decode.indices where decode[worker].end == nil { startDecodeWorkerStep(worker) }
        }
        return queries.map(\.record)
    }

    private var nextTime: Int64? {
        let arrivals = queries.filter { $0.record.arrival == nil }.map(\.arrival)
        return (arrivals + (prefill + decode).compactMap(\.end) + moving.compactMap { queries[$0].ready }).min()
    }

    private mutating func arrive(_ query: Int) {
        queries[query].record.arrival = Instant(nanoseconds: now)
        queries[query].record.attempts = 1
        let costs = prefill.map { worker in
            let residual = worker.end.map { Double($0 - now) / 1e9 } ?? 0
            let tokens = worker.waiting.reduce(0) { $0 + queries[$1].inputTokens }
            return residual + profile.prefill.k1Milliseconds / 1000 * Double(tokens)
        }
        let best = costs.firstIndex(of: costs.min() ?? 0) ?? 0
        prefill[best].waiting.append(query)
    }

    private mutating func place(_ query: Int) {
        var choice = turn % decode.count
        turn += 1
        if joinsShortestQueue {
            let loads = decode.map { $0.waiting.count + $0.running.count + $0.prefilling.count }
            choice = loads.firstIndex(of: loads.min() ?? 0) ?? 0
        }
        queries[query].hasCache = true
        queries[query].record.worker = choice
        queries[query].record.dispatched = Instant(nanoseconds: now)
        decode[choice].waiting.append(query)
    }

    private var totalBlocks: Int { profile.kvCache.capacityTokens / 16 }
    private var watermark: Int { Int(profile.kvCache.watermark * Double(totalBlocks)) }
    private func blocks(_ tokens: Int) -> Int { (tokens + 15) / 16 }

    private func free(_ worker: Worker) -> Int {
        totalBlocks - worker.running.reduce(0) { $0 + blocks(queries[$1].context) }
            - worker.prefilling.reduce(0) { $0 + blocks(queries[$1].context + 1) }
    }

    /// Mode A, step 1: the prompts of the next prefill.
    private func promptsToAdmit(_ worker: Worker) -> Int {
        var worker = worker
        var tokens = 0
        while let head = worker.waiting.first, !queries[head].hasCache {
            let prompt = queries[head].context
            guard worker.running.count + worker.prefilling.count + 1 <= profile.limits.maximumSequences,
                worker.prefilling.isEmpty || tokens + prompt <= profile.limits.maximumBatchedTokens
            else { break }
            let reserve = worker.running.isEmpty && worker.prefilling.isEmpty ? 0 : watermark
            guard free(worker) - blocks(prompt + 1) >= reserve else { break }
            tokens += prompt
            worker.prefilling.append(worker.waiting.removeFirst())
        }
        return worker.prefilling.count
    }

    private mutating func withPromptsAdmitted(_ before: Worker) -> Worker {
        var worker = before
        for _ in 0..<promptsToAdmit(worker) {
            let query = worker.waiting.removeFirst()
            worker.admissions += 1
            queries[query].admission = worker.admissions
            worker.prefilling.append(query)
        }
        guard !worker.prefilling.isEmpty else { return worker }
        let prompts = worker.prefilling.map { queries[$0].context }
        let work = StepWorkload(
            kind: .prefill,
            prefillTokens: prompts.reduce(0, +),
            prefillSquares: prompts.reduce(0) { $0 + $1 * $1 }
        )
        worker.end = now + NaiveLatency.duration(profile, work).nanoseconds
        return worker
    }

    private mutating func startPrefill(_ index: Int) {
        prefill[index] = withPromptsAdmitted(prefill[index])
    }

    private mutating func endPrefill(_ index: Int) {
        let done = prefill[index].prefilling
        (prefill[index].prefilling, prefill[index].end) = ([], nil)
        for query in done {
            emit(query)
            guard queries[query].record.finish == nil else { continue }
            let seconds = 0.002 + (profile.kvCache.bytesPerToken ?? 0) / 25e9 * Double(queries[query].inputTokens)
            queries[query].ready = now + Int64((seconds * 1e9).rounded(.toNearestOrAwayFromZero))
            moving.append(query)
        }
    }

    private mutating func emit(_ query: Int) {
        queries[query].generated += 1
        let time = Instant(nanoseconds: now)
        if queries[query].record.firstToken == nil { queries[query].record.firstToken = time }
        if queries[query].generated == queries[query].outputTokens { queries[query].record.finish = time }
    }

    private mutating func startDecodeWorkerStep(_ index: Int) {
        while let head = decode[index].waiting.first, queries[head].hasCache,
            decode[index].running.count + 1 <= profile.limits.maximumSequences,
            free(decode[index]) - blocks(queries[head].context) >= (decode[index].running.isEmpty ? 0 : watermark)
        {
            decode[index].waiting.removeFirst()
            decode[index].admissions += 1
            queries[head].admission = decode[index].admissions
            decode[index].running.append(head)
        }
        decode[index] = withPromptsAdmitted(decode[index])
        guard decode[index].end == nil, !decode[index].running.isEmpty else { return }
        while free(decode[index]) < decode[index].running.count(where: { queries[$0].context % 16 == 0 }) {
            let youngest = decode[index].running.max { queries[$0].admission < queries[$1].admission }
            guard let victim = youngest else { break }
            decode[index].running.removeAll { $0 == victim }
            decode[index].waiting.insert(victim, at: 0)
            queries[victim].hasCache = false
            queries[victim].record.preemptions += 1
        }
        let work = StepWorkload(
            kind: .decode,
            decodeSequences: decode[index].running.count,
            contextTokens: decode[index].running.reduce(0) { $0 + queries[$1].context }
        )
        decode[index].end = now + NaiveLatency.duration(profile, work).nanoseconds
    }

    private mutating func endDecodeWorkerStep(_ index: Int) {
        let prompts = decode[index].prefilling
        let stepped = prompts.isEmpty ? decode[index].running : prompts
        (decode[index].prefilling, decode[index].end) = ([], nil)
        for query in stepped { emit(query) }
        decode[index].running = (decode[index].running + prompts).filter { queries[$0].record.finish == nil }
    }
}
