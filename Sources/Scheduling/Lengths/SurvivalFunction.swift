/// How many answers are longer than n tokens: `S(n) = P(L > n)`, and what follows from it.
///
/// Made from a sample of lengths. At whole numbers up to 4,096 tokens it is exact; beyond them it is exact at no more
/// than 4,096 evenly spaced points; between points it is linear. `S(0)` is 1, at the longest length and beyond it is 0.
///
/// Beside S the table has the tail sums `R(n) = Σ S(j) over j ≥ n`, which is `E[max(L − n, 0)]`, so that conditional means
/// cost no more than S itself. Beyond the longest length nothing is known; there the tail goes on with the scale that
/// the sample's last twentieth has: see `tailExcess`.
///
/// Complexity: evaluation O(1), quantiles O(log points), copying O(1): the table is shared.
package struct SurvivalFunction: Sendable, Equatable {
    /// Whole numbers up to this one have a point each.
    static let exactTokens = 4096
    /// Points beyond `exactTokens`.
    private static let coarsePoints = 4096

    /// The longest length of the sample.
    package let longest: Int
    /// The mean length.
    package let mean: Double
    /// `E[L(L − 1)/2]`: the tokens of the answer itself that its decode steps read, together.
    package let meanOwnContexts: Double
    /// What an answer longer than all the sample's is expected to go on for, in tokens: the mean excess over the length
    /// that a twentieth of the sample exceeds, at least 1.
    package let tailExcess: Double

    private let end: Double
    private let exactEnd: Double
    private let stepsPerToken: Double
    private let tokensPerStep: Int
    /// S and R at the points; both end with the point where they are 0, and one more so that interpolation needs no check.
    private let survival: [Double]
    private let tailSums: [Double]

    /// - Precondition: at least one length, each at least 1.
    package init(lengths: [Int]) {
        self.init(ascending: lengths.sorted().map { WeightedLength(tokens: $0, weight: 1) })
    }

    /// - Parameter sample: lengths in ascending order; repeated ones are allowed.
    /// - Precondition: at least one length, each at least 1 and of positive weight.
    package init(ascending sample: [WeightedLength]) {
        precondition(!sample.isEmpty && sample[0].tokens >= 1, "a survival function needs lengths of at least 1")
        longest = sample[sample.count - 1].tokens
        let exact = min(longest, Self.exactTokens)
        let step = max(1, (longest - exact + Self.coarsePoints - 1) / Self.coarsePoints)
        let count = exact + (longest - exact + step - 1) / step + 1
        let table = Self.table(of: sample, exact: exact, step: step, count: count)
        mean = table.tailSums[0]
        survival = table.survival
        tailSums = table.tailSums
        end = Double(longest)
        exactEnd = Double(exact)
        tokensPerStep = step
        stepsPerToken = 1 / Double(step)
        let total = sample.reduce(0) { $0 + $1.weight }
        meanOwnContexts = sample.reduce(0) { $0 + $1.weight * Double($1.tokens) * Double($1.tokens - 1) / 2 } / total
        tailExcess = Self.excessOfLastTwentieth(of: sample, total: total)
    }

    /// `P(L > tokens)`.
    @inline(__always)
    package func callAsFunction(_ tokens: Double) -> Double {
        guard tokens > 0 else { return 1 }
        guard tokens < end else { return 0 }
        return interpolate(survival, at: tokens)
    }

    /// `E[L | L > g]`: the length to expect of an answer that has g tokens and goes on; always at least g + 1.
    ///
    /// From the longest length on it is g + `tailExcess`.
    @inline(__always)
    package func conditionalMean(beyond g: Double) -> Double {
        guard g > 0 else { return mean }
        guard g < end else { return g + tailExcess }
        let left = interpolate(survival, at: g)
        return left > 0 ? g + interpolate(tailSums, at: g) / left : g + tailExcess
    }

    /// The chance that an answer with g tokens ends within the next n: `1 − S(g + n)/S(g)`.
    ///
    /// Where S(g) is 0 nothing like it was ever seen; by convention the chance is then `n / (n + tailExcess)`.
    @inline(__always)
    package func probability(endingWithin n: Double, after g: Double) -> Double {
        guard n > 0 else { return 0 }
        let left = self(g)
        guard left > 0 else { return 1 - tailExcess / (n + tailExcess) }
        return 1 - self(max(g, 0) + n) / left
    }

    /// The least whole n with `P(L ≤ n) ≥ q`.
    package func quantile(_ q: Double) -> Int {
        least { $0 <= 1 - q }
    }

    /// The least whole n above g with `P(L ≤ n | L > g) ≥ q`; from the longest length on, the conditional mean.
    package func conditionalQuantile(_ q: Double, beyond g: Double) -> Int {
        let left = self(g)
        guard left > 0 else { return Int((g + tailExcess).rounded(.up)) }
        return max(least { $0 <= (1 - q) * left }, Int(max(g, 0)) + 1)
    }

    @inline(__always)
    private func interpolate(_ values: [Double], at tokens: Double) -> Double {
        let position = tokens < exactEnd ? tokens : exactEnd + (tokens - exactEnd) * stepsPerToken
        let point = Int(position)
        return values.withUnsafeBufferPointer { values in
            // 0 < tokens < end, so the point and its successor exist.
            let left = values[point]
            return left + (position - Double(point)) * (values[point + 1] - left)
        }
    }

    /// The least whole number of tokens at which S fulfils a condition that holds from some point on, 1 at the least.
    private func least(where holds: (Double) -> Bool) -> Int {
        var low = 0
        var high = survival.count - 2
        while low + 1 < high {
            let middle = (low + high) / 2
            if holds(survival[middle]) { high = middle } else { low = middle }
        }
        let exact = Int(exactEnd)
        guard high > exact else { return max(high, 1) }
        var tokens = exact + (low - exact) * tokensPerStep
        let last = min(tokens + tokensPerStep, longest)
        while tokens < last, !holds(self(Double(tokens))) { tokens += 1 }
        return tokens
    }
}

extension SurvivalFunction {
    /// S and R at the points 0…exact and then every `step` tokens.
    private static func table(
        of sample: [WeightedLength],
        exact: Int,
        step: Int,
        count: Int
    ) -> (survival: [Double], tailSums: [Double]) {
        var survival = [Double](repeating: 0, count: count + 1)
        var tailSums = survival
        // From the longest down: weight and weighted sum of the lengths above the point.
        var next = sample.count - 1
        var weight = 0.0
        var sum = 0.0
        for point in stride(from: count - 1, through: 0, by: -1) {
            let tokens = point <= exact ? point : exact + (point - exact) * step
            while next >= 0, sample[next].tokens > tokens {
                weight += sample[next].weight
                sum += sample[next].weight * Double(sample[next].tokens)
                next -= 1
            }
            survival[point] = weight
            tailSums[point] = max(sum - weight * Double(tokens), weight)
        }
        for point in 0..<count {
            survival[point] /= weight
            tailSums[point] /= weight
        }
        return (survival, tailSums)
    }

    private static func excessOfLastTwentieth(of sample: [WeightedLength], total: Double) -> Double {
        var weight = 0.0
        var sum = 0.0
        for entry in sample.reversed() {
            // The entry that fills the twentieth is the length that the others exceed.
            if weight + entry.weight > total / 20 {
                return weight > 0 ? max(1, sum / weight - Double(entry.tokens)) : 1
            }
            weight += entry.weight
            sum += entry.weight * Double(entry.tokens)
        }
        return 1
    }
}
