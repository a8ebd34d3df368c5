/// Why no latency model can be fitted.
package struct FittingError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    static func tooFewPoints(_ count: Int, of phase: String, needed: Int) -> FittingError {
        FittingError(
            description: "\(count) distinct \(phase) points are too few: a fit takes at least \(needed), different in "
                + "batch or tokens"
        )
    }
}
