internal import Glibc

/// The demand to be ready for at any time, since no forecast sees it coming.
///
/// A second is a surprise if its demand is more than `surpriseFactor` times what was prepared for. Objectives are missed
/// then, and how many depends on how much work comes in such seconds, not on how many they are. So the reserve is the
/// least demand above which surprises have brought no more than `share` of all work: nothing for a load that forecasts
/// follow, and nearly the height of the bursts for one that comes in bursts out of nothing.
///
/// What was long ago counts less: half after `memorySeconds`. So long after the last surprise nothing is held any more.
/// Demand is told apart by eight steps an octave; memory is bounded.
struct DemandReserve: Sendable {
    /// Of all work, what may come in surprises beyond the reserve.
    private static let share = 0.01
    private static let surpriseFactor = 2.0
    static let memorySeconds = 3600

    private static let stepsPerOctave = 8.0
    private static let steps = 512
    /// Beyond this all weights are divided by it, so that they stay numbers.
    private static let largestWeight = 1e100

    /// Work that came in surprises, by the step of its demand, and all work; both in units of `weight`.
    private var surprises = [Double](repeating: 0, count: Self.steps)
    private var total = 0.0
    /// What a worker-second that arrives now weighs: as much more than one before as that is forgotten.
    private var weight = 1.0
    private var secondsSinceSurprise = Int.max

    /// Takes note of a second.
    ///
    /// - Parameters:
    ///   - demand: worker-seconds per second that arrived, over as long as a queue bears.
    ///   - foreseen: what was prepared for, when that could still be done.
    mutating func observe(demand: Double, foreseen: Double) {
        weight *= exp2(1 / Double(Self.memorySeconds))
        if secondsSinceSurprise < .max { secondsSinceSurprise += 1 }
        guard demand > 0 else { return }
        total += weight * demand
        if demand > Self.surpriseFactor * foreseen {
            surprises[Self.step(of: demand)] += weight * demand
            secondsSinceSurprise = 0
        }
        if weight > Self.largestWeight { rescale() }
    }

    /// Worker-seconds per second to be ready for; 0 for none.
    var demand: Double {
        guard secondsSinceSurprise < Self.memorySeconds else { return 0 }
        var beyond = 0.0
        for step in surprises.indices.reversed() {
            beyond += surprises[step]
            if beyond > Self.share * total { return Self.demand(of: step) }
        }
        return 0
    }

    private mutating func rescale() {
        for step in surprises.indices { surprises[step] /= Self.largestWeight }
        total /= Self.largestWeight
        weight /= Self.largestWeight
    }

    private static func step(of demand: Double) -> Int {
        let step = (log2(demand) * stepsPerOctave).rounded(.up) + Double(steps / 2)
        return Int(min(max(step, 0), Double(steps - 1)))
    }

    /// The greatest demand of a step.
    private static func demand(of step: Int) -> Double {
        exp2(Double(step - steps / 2) / stepsPerOctave)
    }
}
