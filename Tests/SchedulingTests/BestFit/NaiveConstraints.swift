import RecordTables
import Scheduling
import ServingModel

/// The five constraints of best-fit, written down once more as plainly as can be.
struct NaiveConstraints {
    struct Query {
        var input: Double
        var prefill: Double
        var generated: Double
        /// Of the answer in all, known exactly.
        var length: Double
        var tokenTime: Double
        var deadline: Double
        /// Nil unless it decodes.
        var firstToken: Double?
    }

    var profile: LatencyProfile
    var theta = 0.9
    var gamma = 0.5
    var now = 0.0
    var boundary = 0.0
    /// Prefilled by the step under way, which decodes stand still for.
    var underway: [Query] = []
    var running: [Query] = []
    var waiting: [Query] = []

    /// Letters of the constraints that do not hold for all that is there.
    var broken: [String] {
        var letters: [String] = []
        let all = running + underway + waiting
        let (firstTokens, stall) = prefills
        if zip(waiting, firstTokens).contains(where: { $1 > $0.deadline + 1e-9 }) { letters.append("a") }
        let step = decodeStep(all)
        for query in running + underway where query.length > query.generated {
            let since = now - (query.firstToken ?? boundary)
            let budget = query.tokenTime * (query.length - 1) - since
            if (query.length - query.generated) * step + stall > budget + 1e-9 { letters.append("b") }
        }
        if step > theta * (all.map(\.tokenTime).min() ?? .infinity) + 1e-9 { letters.append("c") }
        if kvPeak(all) > Double(profile.kvCache.capacityTokens) * (1 - profile.kvCache.watermark) {
            letters.append("d")
        }
        if all.count > profile.limits.maximumSequences { letters.append("e") }
        return letters
    }

    private func decodeStep(_ all: [Query]) -> Double {
        let context = all.reduce(0) { $0 + $1.input + gamma * $1.length }
        return
            (profile.decode.c3Milliseconds + profile.decode.c2Milliseconds * Double(all.count)
            + profile.decode.k2Milliseconds * context) / 1000
    }

    /// When each waiting query has its first token, and for how long decodes stand still.
    private var prefills: (firstTokens: [Double], stall: Double) {
        let begin = max(now, boundary)
        var times: [Double] = []
        var time = begin
        var rest = waiting[...]
        while let head = rest.popFirst() {
            var batch = [head]
            var tokens = head.prefill
            while let next = rest.first, tokens + next.prefill <= Double(profile.limits.maximumBatchedTokens) {
                batch.append(rest.removeFirst())
                tokens += next.prefill
            }
            let squares = batch.reduce(0) { $0 + $1.prefill * $1.prefill }
            let prefill = profile.prefill
            let milliseconds =
                prefill.c1Milliseconds + prefill.k1Milliseconds * tokens + prefill.k1qMilliseconds * squares
            time += max(prefill.c0Milliseconds, milliseconds) / 1000
            times += batch.map { _ in time }
        }
        return (times, time - (underway.isEmpty ? begin : now))
    }

    /// Token by token, as if all decoded together from now on.
    private func kvPeak(_ all: [Query]) -> Double {
        let rounding = Double(profile.kvCache.blockTokens / 2)
        let last = all.map { Int($0.length - $0.generated) }.max() ?? 0
        var peak = 0.0
        for tokens in 0...last {
            let held = all.filter { $0.length - $0.generated >= Double(tokens) }
            peak = max(peak, held.reduce(0) { $0 + $1.input + $1.generated + rounding + Double(tokens) })
        }
        return peak
    }
}

extension NaiveConstraints {
    /// What a worker has, all its lengths being told.
    init(_ worker: WorkerView, in view: ClusterView, at now: Instant) {
        profile = worker.profile
        self.now = now.seconds
        boundary = worker.step?.end.seconds ?? 0
        let residents = Dictionary(uniqueKeysWithValues: worker.residents.map { ($0.number, $0) })
        running = worker.residents.map { Query(view.queries[$0.number]!, decoding: residents[$0.number], of: worker) }
        let prefilled = worker.step.map { $0.isPrefill ? $0.prefills : 0 } ?? 0
        underway = worker.waiting.prefix(prefilled).map { Query(view.queries[$0.number]!) }
        for position in underway.indices { underway[position].generated = 1 }
        waiting = worker.waiting.dropFirst(prefilled).map { Query(view.queries[$0.number]!) }
    }
}

extension NaiveConstraints.Query {
    init(_ query: QueryView, decoding resident: WorkerView.Resident? = nil, of worker: WorkerView? = nil) {
        input = Double(query.inputTokens)
        prefill = Double(query.prefillTokens)
        generated = Double(query.outputTokens)
        if let resident, let worker {
            generated = Double(worker.outputTokens(of: resident))
            firstToken = resident.firstToken
        }
        length = Double(query.queued.outputTokensHint!)
        tokenTime = query.objective.averageTokenTime.seconds
        deadline = query.deadline.seconds
    }
}
