internal import ServingModel

/// How fast the workers of one model are together, from their profiles.
///
/// Workers are taken to share the load equally. Complexity: O(different profiles) for every question; there are few.
struct FleetSpeed: Sendable {
    private struct Kind: Sendable {
        let profile: LatencyProfile
        let mode: BatchingMode
        var workers: Int
    }

    private var kinds: [Kind] = []
    private var kindsByWorker: [WorkerID: Int] = [:]
    /// Workers that take new queries.
    private(set) var workers = 0
    /// Sequences and tokens of KV cache that they have room for.
    private(set) var sequences = 0
    private(set) var cacheTokens = 0.0

    mutating func add(_ joined: WorkerJoined) {
        guard kindsByWorker[joined.worker] == nil else { return }
        let known = kinds.firstIndex { $0.mode == joined.batching && $0.profile == joined.profile }
        let kind = known ?? kinds.count
        if known == nil { kinds.append(Kind(profile: joined.profile, mode: joined.batching, workers: 0)) }
        kindsByWorker[joined.worker] = kind
        count(1, of: kind)
    }

    mutating func remove(_ worker: WorkerID) {
        guard let kind = kindsByWorker.removeValue(forKey: worker) else { return }
        count(-1, of: kind)
    }

    func contains(_ worker: WorkerID) -> Bool { kindsByWorker[worker] != nil }

    private mutating func count(_ change: Int, of kind: Int) {
        kinds[kind].workers += change
        workers += change
        let profile = kinds[kind].profile
        sequences += change * profile.limits.maximumSequences
        let usable = Double(profile.kvCache.capacityTokens) * (1 - profile.kvCache.watermark)
        cacheTokens += Double(change) * usable
    }

    /// Seconds of a worker's time that a prompt costs beside others, without the constant of the step.
    func prefillWork(tokens: Int) -> Double {
        mean { kind in
            let prefill = kind.profile.prefill
            let count = Double(tokens)
            var milliseconds = prefill.k1Milliseconds * count + prefill.k1qMilliseconds * count * count
            if prefill.kneeTokens > 0, count > prefill.kneeTokens {
                milliseconds += prefill.k1AboveKneeMilliseconds * (count - prefill.kneeTokens)
            }
            return milliseconds / 1000
        }
    }

    /// Seconds from the beginning of a prompt's prefill to its first token, on a worker with `load` sequences.
    func prefillTime(tokens: Int, load: Double, context: Double) -> Double {
        mean { kind in
            let budget = kind.profile.limits.chunkTokens - Int(load)
            guard kind.mode == .chunked, tokens > budget else {
                let workload = StepWorkload(kind: .prefill, prefillTokens: tokens, prefillSquares: tokens * tokens)
                return kind.profile.seconds(of: workload)
            }
            let whole = StepWorkload(
                kind: .mixed,
                prefillTokens: tokens,
                prefillSquares: tokens * tokens,
                decodeSequences: Int(load),
                contextTokens: Int(load * context)
            )
            let steps = (Double(tokens) / Double(max(1, budget))).rounded(.up)
            return kind.profile.seconds(of: whole) + (steps - 1) * decode(of: kind, load: load, context: context)
        }
    }

    /// By what a worker that prefills all the time is slower than its prefill work alone: decodes run beside it.
    func prefillSlowdown(load: Double, context: Double) -> Double {
        mean { kind in
            guard kind.mode == .chunked else { return 1 }
            let tokens = max(1, kind.profile.limits.chunkTokens - Int(load))
            let work = Double(tokens) * kind.profile.prefill.k1Milliseconds / 1000
            guard work > 0 else { return 1 }
            return 1 + decode(of: kind, load: load, context: context) / work
        }
    }

    /// Seconds of a decode step with `load` sequences of `context` tokens each.
    func decodeTime(load: Double, context: Double) -> Double {
        mean { decode(of: $0, load: load, context: context) }
    }

    /// Seconds that the decodes of a step take on a worker without the prefills beside them.
    func decodeTime(of workload: StepWorkload, on worker: WorkerID) -> Double {
        guard let kind = kindsByWorker[worker] else { return 0 }
        let decodes = StepWorkload(
            kind: .decode,
            decodeSequences: workload.decodeSequences,
            contextTokens: workload.contextTokens
        )
        return kinds[kind].profile.seconds(of: decodes)
    }

    private func decode(of kind: Kind, load: Double, context: Double) -> Double {
        // Loads are fractions of sequences here: the profile is asked on both sides.
        let below = load.rounded(.down)
        let low = seconds(of: kind, sequences: below, context: context)
        guard load > below else { return low }
        return low + (load - below) * (seconds(of: kind, sequences: below + 1, context: context) - low)
    }

    private func seconds(of kind: Kind, sequences: Double, context: Double) -> Double {
        kind.profile.seconds(
            of: StepWorkload(
                kind: .decode,
                decodeSequences: Int(sequences),
                contextTokens: Int((sequences * context).rounded())
            )
        )
    }

    private func mean(_ value: (Kind) -> Double) -> Double {
        var sum = 0.0
        for kind in kinds where kind.workers > 0 { sum += Double(kind.workers) * value(kind) }
        return workers > 0 ? sum / Double(workers) : 0
    }
}
