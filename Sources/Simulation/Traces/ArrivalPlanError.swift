/// An option of an `ArrivalPlan` that makes no sense, and why.
package struct ArrivalPlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As on the command line, such as `--rate`.
    package var option: String
    package var message: String

    package var description: String { "\(option): \(message)" }
}
