internal import Foundation
package import ServingModel

/// A file that decisions are appended to, one JSON object a line.
///
/// The file may be moved away at any time; the next line begins it anew.
package struct DecisionLog: Sendable {
    /// A decision and what came of it.
    package struct Entry: Hashable, Sendable {
        package var decision: FleetController.Decision
        /// What the scheduler had wished for when it was made; nil if nothing was heard of it.
        package var wish: FleetWish?
        /// What it was to act on.
        package var actuator: String
        /// `done`, `failed`, or `advised` where nothing was to be done.
        package var outcome: String
        /// Why it failed.
        package var error: String?
    }

    private let path: String

    /// - Throws: `ActuationError` if the file cannot be written.
    package init(path: String) throws(ActuationError) {
        self.path = path
        try append(Data())
    }

    /// - Parameter time: on the wall clock; nil for now.
    /// - Throws: `ActuationError` if the file cannot be written.
    package func write(_ entry: Entry, at time: UnixTime? = nil) throws(ActuationError) {
        let time = time ?? UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        try append(Data((Self.line(of: entry, at: time) + "\n").utf8))
    }

    /// The entry as one line of JSON, keys in alphabetical order.
    static func line(of entry: Entry, at time: UnixTime) -> String {
        var object: [String: Any] = [
            "time": text(of: time), "from": entry.decision.from, "to": entry.decision.to,
            "reason": entry.decision.reason, "actuator": entry.actuator, "outcome": entry.outcome,
        ]
        if let wish = entry.wish {
            object["model"] = wish.model
            object["wished"] = wish.workers
            object["serving"] = wish.active
            object["awaited"] = wish.starting
            // Three places: tenths of a percent of a worker say enough.
            object["offered_load_workers"] = (wish.offeredLoad * 1000).rounded() / 1000
        }
        if let error = entry.error { object["error"] = error }
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and finite numbers can always be written.
        let data = (try? JSONSerialization.data(withJSONObject: object, options: options)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    private static func text(of time: UnixTime) -> String {
        let date = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return date.formatted(style)
    }

    /// One `write` a line, so that several writers do not mix theirs.
    private func append(_ data: Data) throws(ActuationError) {
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        let written = data.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
        guard written == data.count else { throw failure() }
    }

    private func failure() -> ActuationError {
        ActuationError("the decision log \(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
