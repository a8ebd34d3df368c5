package import ServingModel

/// The demand to expect when a worker that is started now will serve, with an allowance for being wrong.
///
/// Demand is offered work: worker-seconds that arrive per second. The forecast at horizon h is
/// `x20 + slopeShare·slope·h`, x20 the mean of the last 20 s and slope the least-squares line through the last 120 s.
/// Every forecast is kept until its time has come and compared with what came; the `quantile` of the latest relative
/// errors is the margin. So a steady load gets a small margin and an unsteady one a large one, by itself. Bursts that no
/// forecast sees coming are what the reserve is for, see `DemandReserve`.
///
/// Time is counted in whole seconds; memory is bounded (120 s of demand, 600 errors, forecasts of one horizon).
package struct DemandForecast: Sendable {
    package struct Outlook: Hashable, Sendable {
        /// Worker-seconds per second expected at the horizon.
        package let expected: Double
        /// Relative allowance, at least 0.
        package let margin: Double
        /// Change of demand per second.
        package let slope: Double
        /// Worker-seconds per second to be ready for, whatever is expected.
        package let reserve: Double

        /// What is expected at most: `expected · (1 + margin)`.
        package var upper: Double { expected * (1 + margin) }
    }

    /// How far ahead: a worker's start-up time and what it takes to notice.
    package var horizon: Interval
    /// Of its past errors, the share that the margin would have covered.
    package var quantile = 0.85
    /// How much of the present slope is believed to last.
    package var slopeShare = 0.5

    private static let levelSeconds = 20
    private static let slopeSeconds = 120
    /// Over so long demand is a burst that a queue does not bear.
    private static let burstSeconds = 10
    private static let errorCapacity = 600
    private static let pendingCapacity = 2048
    /// Errors from which their quantile is used, and the margin before.
    private static let enoughErrors = 30
    private static let initialMargin = 0.3
    private static let largestMargin = 2.0

    /// Demand of the latest whole seconds, oldest first, and of the one under way.
    private var seconds: [Double] = []
    private var current = 0.0
    private var currentSecond: Int64?
    /// Seconds since there last was no demand for as long as a level is taken over, and since there was any.
    private var busySeconds = 0
    private var idleSeconds = 0
    /// Forecasts whose time has not come.
    private var pending: [(due: Int64, expected: Double)] = []
    private var errors: [Double] = []
    private var nextError = 0
    /// What is prepared for in seconds to come.
    private var prepared: [(due: Int64, demand: Double)] = []
    /// What was prepared for in this second; the same as before where a longer horizon leaves none for it.
    private var foreseen = 0.0
    private var reserve = DemandReserve()
    /// The first second with work; what comes within a horizon of it could not be foreseen by anybody.
    private var firstBusySecond: Int64?

    package init(horizon: Interval) {
        self.horizon = horizon
    }

    /// Adds work that arrived up to `now`; times never go back.
    package mutating func observe(work: Double, at now: Instant) {
        advance(to: now)
        current += work
    }

    package mutating func forecast(at now: Instant) -> Outlook {
        // What was observed at the very end of a second belongs to it.
        advance(to: now + Interval(nanoseconds: 1))
        return Outlook(expected: expected, margin: margin, slope: slope, reserve: reserve.demand)
    }

    /// How wrong past forecasts were, as (actual − expected)/expected; in no order.
    package var relativeErrors: [Double] { errors }

    private var level: Double { mean(of: Self.levelSeconds) }

    private func mean(of last: Int) -> Double {
        let recent = seconds.suffix(last)
        return recent.isEmpty ? current : recent.reduce(0, +) / Double(recent.count)
    }

    /// Least squares through the whole seconds; 0 until there are enough of them to tell a trend from noise.
    private var slope: Double {
        let count = Double(seconds.count)
        guard seconds.count >= 2 * Self.levelSeconds else { return 0 }
        let middle = (count - 1) / 2
        var covariance = 0.0
        for (index, value) in seconds.enumerated() { covariance += (Double(index) - middle) * value }
        return covariance * 12 / (count * (count * count - 1))
    }

    private var expected: Double {
        max(0, level + slopeShare * slope * horizon.seconds)
    }

    private var margin: Double {
        guard errors.count >= Self.enoughErrors else { return Self.initialMargin }
        let ascending = errors.sorted()
        let rank = Int((quantile * Double(ascending.count)).rounded(.up)) - 1
        return min(max(ascending[min(max(rank, 0), ascending.count - 1)], 0), Self.largestMargin)
    }

    private mutating func advance(to now: Instant) {
        // Work observed at a full second arrived in the one before it.
        let second = max(now.nanoseconds - 1, 0) / 1_000_000_000
        guard let start = currentSecond, second > start else {
            currentSecond = currentSecond ?? second
            return
        }
        // After a long gap the seconds in between would all be forgotten again.
        let first = max(start, second - Int64(Self.slopeSeconds) - 1)
        if first > start { current = 0 }
        for finished in first..<second {
            seconds.append(current)
            if seconds.count > Self.slopeSeconds { seconds.removeFirst() }
            idleSeconds = current > 0 ? 0 : idleSeconds + 1
            busySeconds = idleSeconds < Self.levelSeconds && (busySeconds > 0 || current > 0) ? busySeconds + 1 : 0
            current = 0
            compare(at: finished + 1)
            prepare(at: finished + 1)
        }
        currentSecond = second
    }

    private mutating func compare(at second: Int64) {
        while let oldest = pending.first, oldest.due <= second {
            pending.removeFirst()
            guard oldest.due == second, oldest.expected > 0 else { continue }
            let error = (level - oldest.expected) / oldest.expected
            if errors.count < Self.errorCapacity {
                errors.append(error)
            } else {
                errors[nextError] = error
                nextError = (nextError + 1) % Self.errorCapacity
            }
        }
        // The first seconds of a load are not held against the forecast: its level has yet to rise from nothing.
        guard busySeconds >= Self.levelSeconds, pending.count < Self.pendingCapacity else { return }
        let due = second + max(Int64(horizon.seconds.rounded()), 1)
        // A horizon that was shortened makes forecasts due out of order: the earlier made ones are void.
        pending.removeAll { $0.due >= due }
        pending.append((due, expected))
    }

    /// Compares a second with what was prepared for it, and notes what is prepared for.
    private mutating func prepare(at second: Int64) {
        while let oldest = prepared.first, oldest.due <= second {
            prepared.removeFirst()
            foreseen = oldest.demand
        }
        let ahead = max(Int64(horizon.seconds.rounded()), 1)
        if firstBusySecond == nil, seconds.last ?? 0 > 0 { firstBusySecond = second }
        guard let first = firstBusySecond else { return }
        if second > first + ahead + Int64(Self.levelSeconds) {
            reserve.observe(demand: mean(of: Self.burstSeconds), foreseen: foreseen)
        }
        guard prepared.count < Self.pendingCapacity else { return }
        prepared.removeAll { $0.due >= second + ahead }
        prepared.append((second + ahead, expected * (1 + margin)))
    }
}
