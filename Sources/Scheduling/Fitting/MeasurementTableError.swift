/// What is wrong with a table of measurements, and in which line and column.
package struct MeasurementTableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; the header is line 1.
    package var line: Int
    /// Empty if the fault is not one field's.
    package var column = ""
    package var message: String

    package var description: String {
        column.isEmpty ? "line \(line): \(message)" : "line \(line), \(column): \(message)"
    }
}
