internal import ArgumentParser
internal import Foundation
internal import Simulation

/// A trace on disk, and what of it was left out.
struct TraceFile: Sendable {
    let path: String
    let trace: Trace
    /// What is wrong with each line that was skipped.
    let skipped: [TraceError]

    /// - Throws: `ValidationError` that names the file and the line.
    init(path: String, skipsBadLines: Bool) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ValidationError("cannot read trace \(path): \(error.localizedDescription)")
        }
        do {
            let reading = try TraceReading(text: text, skipBad: skipsBadLines)
            self.path = path
            trace = reading.trace
            skipped = reading.skipped
        } catch {
            let hint = skipsBadLines ? "" : "; --skip-bad leaves bad lines out and counts them"
            throw ValidationError("trace \(path), \(error)\(hint)")
        }
    }

    init(path: String, trace: Trace, skipped: [TraceError]) {
        self.path = path
        self.trace = trace
        self.skipped = skipped
    }

    var fileName: String { URL(fileURLWithPath: path).lastPathComponent }
}
