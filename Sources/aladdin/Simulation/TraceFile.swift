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
        let input = try InputText(path, as: "trace")
        self.path = input.name
        do {
            let reading = try TraceReading(text: input.text, skipBad: skipsBadLines)
            trace = reading.trace
            skipped = reading.skipped
        } catch {
            let helps = !skipsBadLines && (try? TraceReading(text: input.text, skipBad: true)) != nil
            let hint = helps ? "; --skip-bad leaves bad lines out and counts them" : ""
            throw ValidationError("trace \(input.name), \(error)\(hint)")
        }
    }

    init(path: String, trace: Trace, skipped: [TraceError]) {
        self.path = path
        self.trace = trace
        self.skipped = skipped
    }

    var fileName: String { URL(fileURLWithPath: path).lastPathComponent }
}
