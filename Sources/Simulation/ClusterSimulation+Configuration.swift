package import Brokering
package import ServingModel

extension ClusterSimulation {
    /// What is simulated beside the queries.
    package struct Configuration: Sendable {
        package var mode: BatchingMode
        /// From the decision to the worker's queue.
        package var dispatchDelay: Interval
        /// Policies are told the length of each answer.
        package var tellsLengths: Bool
        /// Reads a clock, in nanoseconds, to time decisions; nil does not.
        package var stopwatch: (@Sendable () -> UInt64)?

        /// Prefills happen on workers of their own; the mode must be prefill-priority then.
        package var split: SplitPhase?
        /// Workers that fail, drain or are started, whatever the load; in any order.
        package var changes: [FleetChange] = []
        /// Workers are started and drained as a policy wishes.
        package var scaling: SimulatedScaling?
        /// Queries that could not be served within their objectives are refused when they arrive; nil admits all.
        package var admission: AdmissionSettings?
        /// Workers keep beginnings of prompts in their KV caches and do not compute them again.
        package var keepsPrefixes = false
        /// Steps take a little more or less than the profile says.
        package var stepTimeNoise: StepTimeNoise?
        /// The lengths of answers that the scheduler hears are multiplied by this, so that what it learns is wrong.
        package var reportedLengthScale = 1.0
        /// A query is given up when the worker of this attempt fails.
        package var maximumAttempts = 3

        package init(
            mode: BatchingMode,
            dispatchDelay: Interval = .zero,
            tellsLengths: Bool = false,
            stopwatch: (@Sendable () -> UInt64)? = nil
        ) {
            precondition(dispatchDelay >= .zero)
            self.mode = mode
            self.dispatchDelay = dispatchDelay
            self.tellsLengths = tellsLengths
            self.stopwatch = stopwatch
        }
    }
}
