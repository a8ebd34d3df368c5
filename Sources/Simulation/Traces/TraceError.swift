/// What is wrong with a trace, and in which line.
package struct TraceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; the header is line 1.
    package var line: Int
    package var message: String

    package init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "line \(line): \(message)" }
}
