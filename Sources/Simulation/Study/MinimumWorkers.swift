/// The search for the smallest fleet that reaches an attainment, as a machine that hands out trials and takes results.
///
/// Sizes are tried upward, and the first whose mean over the seeds reaches the attainment is the answer. None is
/// skipped, as attainment need not rise with every worker. A trial may stop once it has more misses than it is allowed:
/// then its size cannot reach the attainment any more, whatever the other seeds give. Trials of larger sizes may run
/// ahead of the answer; in whichever order results come in, the answer is the same.
package struct MinimumWorkers: Sendable {
    /// One run to be made.
    package struct Trial: Hashable, Sendable {
        package let workers: Int
        /// Which of the seeds.
        package let seed: Int
        /// Misses beyond which the run need not go on.
        package let allowedMisses: Int
    }

    package enum Answer: Hashable, Sendable {
        case undecided
        case found(workers: Int)
        /// No size up to the largest suffices.
        case none
    }

    private struct Size: Sendable {
        var handedOut = 0
        /// Misses by seed; nil before its result.
        var misses: [Int?]
        var hasFailed = false
    }

    private let smallest: Int
    private let largest: Int
    private let target: Double
    /// Queries that count, by seed.
    private let queries: [Int]
    /// From the smallest on, as far as trials were handed out.
    private var sizes: [Size] = []
    /// Sizes below it have failed.
    private var lowestOpen = 0

    /// - Parameters:
    ///   - bound: the first size to be tried; no smaller one can succeed.
    ///   - largest: the last one.
    ///   - attainment: to be reached.
    ///   - queries: how many count, for each seed.
    package init(from bound: Int, through largest: Int, attainment: Double, queries: [Int]) {
        precondition(bound >= 1 && !queries.isEmpty && queries.allSatisfy { $0 > 0 })
        smallest = bound
        self.largest = largest
        target = attainment
        self.queries = queries
    }

    package var answer: Answer {
        if smallest + lowestOpen > largest { return .none }
        guard lowestOpen < sizes.count, isComplete(lowestOpen) else { return .undecided }
        return .found(workers: smallest + lowestOpen)
    }

    /// The size that the search has come to.
    package var reached: Int { min(smallest + lowestOpen, largest) }

    /// The next trial; nil if every one that can matter is handed out.
    ///
    /// - Parameter ahead: also of sizes that do not matter if a smaller one suffices.
    package mutating func next(ahead: Bool) -> Trial? {
        guard answer == .undecided else { return nil }
        var index = lowestOpen
        while smallest + index <= largest {
            if index == sizes.count { sizes.append(Size(misses: Array(repeating: nil, count: queries.count))) }
            if !sizes[index].hasFailed {
                // A size that suffices unless a smaller one does: nothing beyond it matters.
                if isComplete(index) { return nil }
                if sizes[index].handedOut < queries.count {
                    let seed = sizes[index].handedOut
                    sizes[index].handedOut += 1
                    return Trial(workers: smallest + index, seed: seed, allowedMisses: allowance(index, seed: seed))
                }
                if !ahead { return nil }
            }
            index += 1
        }
        return nil
    }

    /// Takes a trial's result.
    ///
    /// - Parameter misses: nil if it was stopped for having more than it was allowed.
    package mutating func take(_ trial: Trial, misses: Int?) {
        let index = trial.workers - smallest
        guard let misses else {
            sizes[index].hasFailed = true
            return skipFailed()
        }
        sizes[index].misses[trial.seed] = misses
        if isComplete(index) || allowance(index, seed: trial.seed) < misses {
            let attainments = zip(sizes[index].misses, queries).map { 1 - Double($0 ?? 0) / Double($1) }
            // Exactly at the target is enough, whatever rounding made of the mean.
            if SimulationSummary.mean(attainments) < target - 1e-12 { sizes[index].hasFailed = true }
        }
        skipFailed()
    }

    private mutating func skipFailed() {
        while lowestOpen < sizes.count, sizes[lowestOpen].hasFailed { lowestOpen += 1 }
    }

    private func isComplete(_ index: Int) -> Bool {
        sizes[index].misses.allSatisfy { $0 != nil }
    }

    /// The misses with which a seed's run can still be part of a mean that suffices, the other seeds' known.
    ///
    /// Rounded up where rounding could matter: the mean of complete runs decides.
    private func allowance(_ index: Int, seed: Int) -> Int {
        var share = Double(queries.count) * (1 - target)
        for (other, misses) in sizes[index].misses.enumerated() where other != seed {
            share -= Double(misses ?? 0) / Double(queries[other])
        }
        return Int((max(share, 0) * Double(queries[seed]) + 1e-6).rounded(.down))
    }
}
