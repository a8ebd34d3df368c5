internal import ServingModel

/// What is wrong with a trace, and in which line.
package struct TraceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; the header is line 1.
    package var line: Int
    package var message: String

    package var description: String { "line \(line): \(message)" }
}

extension Trace {
    private static let columns = ["arrival_s", "input_tokens", "output_tokens"]

    /// Reads CSV with the columns `arrival_s,input_tokens,output_tokens[,session_id]`.
    ///
    /// - Throws: `TraceError` for a missing column, a field that is no number, a negative or decreasing time, or a length below 1.
    package init(csv text: String) throws(TraceError) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.last == "\r" ? $0.dropLast() : $0
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard let header = lines.first else { throw TraceError(line: 1, message: "the file is empty") }
        let names = header.split(separator: ",").map(String.init)
        guard Array(names.prefix(3)) == Self.columns else {
            throw TraceError(
                line: 1,
                message: "the columns must be \(Self.columns.joined(separator: ","))[,session_id]"
            )
        }
        guard lines.count > 1 else { throw TraceError(line: 1, message: "there is no query in the file") }
        var entries: [Entry] = []
        entries.reserveCapacity(lines.count - 1)
        for (index, line) in lines.enumerated().dropFirst() {
            let entry = try Self.entry(line, number: index + 1)
            if let last = entries.last, entry.arrival < last.arrival {
                throw TraceError(line: index + 1, message: "arrival_s is earlier than in the line before")
            }
            entries.append(entry)
        }
        self.init(entries: entries)
    }

    private static func entry(_ line: Substring, number: Int) throws(TraceError) -> Entry {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 3 else {
            throw TraceError(line: number, message: "3 fields are needed, there are \(fields.count)")
        }
        guard let arrival = Double(fields[0]), arrival.isFinite, arrival >= 0, arrival < 4e9 else {
            throw TraceError(line: number, message: "arrival_s must be a number of seconds from 0")
        }
        return Entry(
            arrival: .seconds(rounding: arrival),
            inputTokens: try tokens(fields[1], "input_tokens", number),
            outputTokens: try tokens(fields[2], "output_tokens", number),
            session: fields.count > 3 ? Int(fields[3]) : nil
        )
    }

    private static func tokens(_ field: Substring, _ name: String, _ line: Int) throws(TraceError) -> Int {
        guard let count = Int(field), count >= 1, count <= 100_000_000 else {
            throw TraceError(line: line, message: "\(name) must be a whole number from 1")
        }
        return count
    }
}
