package import ServingModel

/// A number of workers below which no scheduler can keep the objectives, whatever it knows.
///
/// The time that N workers spend in D seconds covers every query's prefill and its share of every decode step it takes
/// part in. Keeping the ATGT bounds the steps: over a query's decode tokens the step times sum to at most T each. With a
/// multiplier μ ≥ 0 for that, and each decode token in whatever batch b suits it best,
///
/// ```
/// N·D ≥ Σ_i [ k1·l + k1q·l² + Σ_x (c2 + k2·x + μ(c3 − T) + min over b of (c3/b + μ·b·(c2 + k2·x))) ]
/// ```
///
/// x running over the contexts of query i's decode steps. The right side is concave in μ, so its best value is found by
/// section. A target of 99 % lets 1 % of the queries fail: the dearest are left out. Batches are at most
/// `maximumSequences`. What is left out only lowers the bound: constants of prefill steps, KV capacity, waiting, and that
/// a prompt holds up the answers beside it. Of knees and experts the part that is certain is counted.
package struct WorkerBound: Sendable {
    private let k1: Double
    private let k1q: Double
    private let k2: Double
    private let c2: Double
    private let c3: Double
    private let tokenTime: Double
    private let largestBatch: Double

    package init(profile: LatencyProfile, averageTokenTime: Interval) {
        let prefill = profile.prefill
        let decode = profile.decode
        k1 = (prefill.k1Milliseconds + (prefill.kneeTokens > 0 ? min(prefill.k1AboveKneeMilliseconds, 0) : 0)) / 1000
        k1q = prefill.k1qMilliseconds / 1000
        k2 = decode.k2Milliseconds / 1000
        c2 = (decode.c2Milliseconds + (decode.kneeSequences > 0 ? min(decode.c2AboveKneeMilliseconds, 0) : 0)) / 1000
        let constant = min(decode.c3Milliseconds, profile.mixedConstantMilliseconds ?? .infinity)
        c3 = (constant + decode.expertMilliseconds * decode.expertShare) / 1000
        tokenTime = averageTokenTime.seconds
        largestBatch = Double(max(profile.limits.maximumSequences, 1))
    }

    /// The bound on the number of workers for queries like these at `rate` a second.
    ///
    /// - Parameter attainment: the share of the queries whose objectives are to be kept.
    /// - Returns: infinite where no number of workers keeps the ATGT.
    /// - Complexity: O(60 · (n log n + longest context)).
    package func workers(rate: Double, queries: [QuerySize], attainment: Double = 0.99) -> Double {
        guard !queries.isEmpty else { return 0 }
        let leftOut = min(Int((Double(queries.count) * (1 - attainment)).rounded(.down)), queries.count - 1)
        let value = { (multiplier: Double) in
            total(of: queries, multiplier: multiplier, leavingOut: leftOut)
        }
        // Doubled until the value falls; where it never does, no batch is small enough for the pace.
        var high = 1e-6
        var reached = value(0)
        while true {
            let next = value(high)
            if next <= reached { break }
            reached = next
            high *= 4
            if high > 1e9 { return .infinity }
        }
        let best = max(value(0), Self.largest(of: value, from: 0, to: high))
        return rate * best / Double(queries.count)
    }

    /// Σ over the queries for one multiplier, in worker-seconds.
    package func total(of queries: [QuerySize], multiplier: Double, leavingOut count: Int) -> Double {
        let contexts = queries.reduce(0) { max($0, $1.inputTokens + $1.decodeTokens) }
        // sums[x] = Σ over contexts up to x, so that a query is a difference.
        var sums = [Double](repeating: 0, count: contexts + 1)
        for context in 1...max(contexts, 1) where context < sums.count {
            sums[context] = sums[context - 1] + secondsOfToken(context: Double(context), multiplier: multiplier)
        }
        var costs = queries.map { query -> Double in
            let input = Double(query.inputTokens)
            let decodes = sums[query.inputTokens + query.decodeTokens] - sums[query.inputTokens]
            return k1 * input + k1q * input * input + decodes
        }
        guard count > 0 else { return costs.reduce(0, +) }
        costs.sort()
        return costs.dropLast(count).reduce(0, +)
    }

    /// One decode token's least share of its worker's time, with the price of the pace.
    private func secondsOfToken(context: Double, multiplier: Double) -> Double {
        let own = c2 + k2 * context
        let priced = multiplier * own
        let batch = priced > 0 ? min(max((c3 / priced).squareRoot(), 1), largestBatch) : largestBatch
        return own + multiplier * (c3 - tokenTime) + c3 / batch + priced * batch
    }

    /// The largest value of a concave function, by golden section.
    private static func largest(of value: (Double) -> Double, from begin: Double, to end: Double) -> Double {
        let ratio = (5.0.squareRoot() - 1) / 2
        var (low, high) = (begin, end)
        var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
        var (atLeft, atRight) = (value(left), value(right))
        for _ in 0..<40 {
            if atLeft < atRight {
                (low, left, atLeft) = (left, right, atRight)
                right = low + ratio * (high - low)
                atRight = value(right)
            } else {
                (high, right, atRight) = (right, left, atLeft)
                left = high - ratio * (high - low)
                atLeft = value(left)
            }
        }
        return max(atLeft, atRight)
    }
}
