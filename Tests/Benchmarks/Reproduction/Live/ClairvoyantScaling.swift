internal import Scheduling
internal import ServingModel
internal import Simulation

/// Knows how many queries a second will come, though not which: what a perfect forecast of the rate would be worth.
struct ClairvoyantScaling: ScalingPolicy {
    /// Over which the true rate is taken, in seconds.
    private static let window = 30

    /// Workers that the mean rate needs, and how many times that by the second.
    private let workers: Double
    private let relativeRates: [Double]
    private let lookAhead: Int
    private let utilisation: Double

    /// - Parameter utilisation: the share of a worker's mean-field capacity that is planned with.
    init(_ load: ScalingLoad, utilisation: Double) {
        let workload = load.workloads[0]
        var arrivals = [Double](repeating: 0, count: Int(workload.seconds) + 1)
        for query in workload.queries { arrivals[min(Int(query.arrival.secondsFromZero), arrivals.count - 1)] += 1 }
        let mean = Double(workload.queries.count) / workload.seconds
        relativeRates = arrivals.indices.map { second in
            let span = max(0, second - Self.window / 2)..<min(arrivals.count, second + Self.window / 2)
            return arrivals[span].reduce(0, +) / Double(span.count) / mean
        }
        workers = load.meanField
        lookAhead = Int(load.startUp.seconds.rounded(.up)) + 1
        self.utilisation = utilisation
    }

    mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
        let begin = min(Int(now.secondsFromZero), relativeRates.count - 1)
        let peak = relativeRates[begin..<min(relativeRates.count, begin + lookAhead + 1)].max() ?? 1
        let count = max(1, Int((workers * peak / utilisation).rounded(.up)))
        return ScalingWish(workers: count, reason: count > observation.committedWorkers ? .demand : .surplus)
    }
}

extension Instant {
    fileprivate var secondsFromZero: Double { (self - .zero).seconds }
}
