/// Notices that a worker's steps have come to take longer or shorter than predicted: a two-sided CUSUM.
///
/// Relative errors `(predicted − actual) / actual` are normalised by the mean and deviation of the first ones; then
/// `S⁺ = max(0, S⁺ + z − k)` and `S⁻ = max(0, S⁻ − z − k)`, and an alarm is raised when either passes h. With k = 0.75 and
/// h = 12 deviations, noise alone raises one in about e^(2kh) ≈ 10⁷ steps, a lasting shift of two deviations within ten or
/// so. An alarm stays until `reset()`. Source: Page (1954).
package struct DriftAlarm: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// Not enough steps to know what is usual.
        case learning
        case quiet
        /// Steps take longer than they did, measured against the prediction.
        case slower
        /// Steps take less time than they did.
        case faster
    }

    private(set) package var state = State.learning

    private let allowance: Double
    private let threshold: Double
    private let learningSteps: Int

    private var count = 0
    private var mean = 0.0
    private var squares = 0.0
    private var above = 0.0
    private var below = 0.0

    /// One step counts for at most so many deviations: a single hiccup is no drift.
    private static let largestStep = 4.0
    /// A model that happens to be exact must not make every microsecond an alarm.
    private static let smallestDeviation = 0.01
    /// How far off the prediction may usually be; beyond it the very first steps count as drift too.
    private static let largestUsualError = 0.1

    /// - Parameters:
    ///   - allowance: k, in deviations: half the shift that matters.
    ///   - threshold: h, in deviations.
    ///   - learningSteps: how many steps say what is usual, at least 2.
    package init(allowance: Double = 0.75, threshold: Double = 12, learningSteps: Int = 64) {
        precondition(allowance > 0 && threshold > 0, "allowance and threshold are positive")
        precondition(learningSteps >= 2, "a deviation takes two steps")
        self.allowance = allowance
        self.threshold = threshold
        self.learningSteps = learningSteps
    }

    package var isRaised: Bool { state == .slower || state == .faster }

    /// Takes one step's relative error, (predicted − actual) / actual; returns the state after it.
    @discardableResult
    package mutating func observe(_ error: Double) -> State {
        guard error.isFinite, !isRaised else { return state }
        if state == .learning {
            learn(error)
            return state
        }
        let deviation = max((squares / Double(count - 1)).squareRoot(), Self.smallestDeviation)
        let centre = min(max(mean, -Self.largestUsualError), Self.largestUsualError)
        let z = min(max((error - centre) / deviation, -Self.largestStep), Self.largestStep)
        above = max(0, above + z - allowance)
        below = max(0, below - z - allowance)
        if below > threshold {
            state = .slower
        } else if above > threshold {
            state = .faster
        }
        return state
    }

    /// Learns anew what is usual, as after the model was fitted again.
    package mutating func reset() {
        self = DriftAlarm(allowance: allowance, threshold: threshold, learningSteps: learningSteps)
    }

    /// Welford's mean and sum of squares.
    private mutating func learn(_ error: Double) {
        count += 1
        let distance = error - mean
        mean += distance / Double(count)
        squares += distance * (error - mean)
        if count == learningSteps { state = .quiet }
    }
}
