internal import ServingModel

/// How much slower sequences get their tokens than the model of their worker says.
///
/// What is measured is the mean time between two tokens of a sequence, prefills of others in between included: the time
/// that sequences were resident over the tokens that they got. The model's figure for the same steps is averaged
/// alike, so the quotient follows what the profile can't know: the constants of prefills that a policy does not share, a
/// profile that is off. It is taken worker by worker: a policy that packs a few of them makes no fleet slow.
struct MeasuredPace: Sendable {
    private struct Worker: Sendable {
        /// When its last step ended, and how many sequences have waited since the last decode for how long.
        var lastEnd = Instant.zero
        var sequences = 0
        var stalled = Interval.zero
    }

    /// Steps closer together than this follow each other; otherwise the worker had nothing to do in between.
    private static let contiguity = Interval.milliseconds(20)

    private var workers: [WorkerID: Worker] = [:]
    private var measured: DecayingSum
    private var modelled: DecayingSum
    private var tokens: DecayingSum

    init(timeConstant: Double) {
        measured = DecayingSum(timeConstant: timeConstant)
        modelled = measured
        tokens = measured
    }

    mutating func remove(_ worker: WorkerID) {
        workers[worker] = nil
    }

    /// Takes in a step.
    ///
    /// - Parameter model: seconds between two tokens by the model, at the worker's load in this step.
    mutating func note(
        _ workload: StepWorkload,
        took duration: Interval,
        on id: WorkerID,
        model: Double,
        at now: Instant
    ) {
        var worker = workers[id] ?? Worker()
        let isContiguous = now - duration - worker.lastEnd <= Self.contiguity
        if !isContiguous { worker = Worker() }
        worker.lastEnd = now
        if workload.decodeSequences == 0 {
            worker.stalled = worker.stalled + duration
        } else {
            let count = Double(workload.decodeSequences)
            let stalled = worker.stalled.seconds * Double(min(worker.sequences, workload.decodeSequences))
            measured.add(duration.seconds * count + stalled, at: now)
            modelled.add(model * count, at: now)
            tokens.add(count, at: now)
            worker.sequences = workload.decodeSequences
            worker.stalled = .zero
        }
        workers[id] = worker
    }

    /// Measured over modelled; 1 without measurements.
    ///
    /// Held within bounds: a fleet that is nearly idle says little, and one that hangs is not for this to find out.
    func factor(at now: Instant) -> Double {
        let model = modelled.rate(at: now)
        guard model > 0 else { return 1 }
        return min(max(measured.rate(at: now) / model, 0.8), 2)
    }
}

extension Instant {
    fileprivate static func - (instant: Instant, interval: Interval) -> Instant {
        Instant(nanoseconds: instant.nanoseconds - interval.nanoseconds)
    }
}
