internal import ServingModel

/// The queries in the text of a trace, whichever of the known forms it has, and the lines that were left out.
package struct TraceReading: Sendable {
    package private(set) var trace: Trace
    package private(set) var format: TraceFormat
    /// What is wrong with each line that was left out; empty unless bad lines were to be skipped.
    package private(set) var skipped: [TraceError] = []

    /// Reads `text`; the public forms begin at their first query, ours at 0.
    ///
    /// - Parameter skipBad: Leaves bad lines out and goes on. A bad header or a file without a good line still throws.
    /// - Throws: `TraceError` for an unknown header or a missing column; a field that is missing, no number, negative
    ///   or 0 tokens; a query that is earlier than the one before; a file without queries.
    package init(text: String, skipBad: Bool = false) throws(TraceError) {
        let bytes = Array(text.utf8)
        var lines = Lines(bytes: bytes)
        guard let first = lines.next() else { throw TraceError(line: 1, message: "the file is empty") }
        let reader: Reader
        if first.bytes[first.range.lowerBound] == UInt8(ascii: "{") {
            format = .mooncake
            reader = .mooncake(MooncakeTraceLines())
            lines = Lines(bytes: bytes)
        } else {
            let csv = try CSVTraceLines(header: first)
            format = csv.format
            reader = .csv(csv)
        }
        var entries: [Trace.Entry] = []
        entries.reserveCapacity(bytes.count / 24)
        while let line = lines.next() {
            do throws(TraceError) {
                let entry = try reader.entry(line, number: lines.number)
                if let last = entries.last, entry.arrival < last.arrival {
                    throw TraceError(
                        line: lines.number,
                        message: "\(format.requiredColumns[0]) is earlier than in line \(last.line ?? 0)"
                    )
                }
                entries.append(entry)
            } catch {
                guard skipBad else { throw error }
                skipped.append(error)
            }
        }
        guard let begin = entries.first?.arrival else {
            let why = skipped.isEmpty ? "there is no query in the file" : "no line is good: \(skipped[0].message)"
            throw TraceError(line: skipped.first?.line ?? 1, message: why)
        }
        if format.beginsAtFirstQuery {
            for index in entries.indices { entries[index].arrival = entries[index].arrival - begin }
        }
        trace = Trace(entries: entries)
    }

    private enum Reader {
        case csv(CSVTraceLines)
        case mooncake(MooncakeTraceLines)

        func entry(_ line: ByteText, number: Int) throws(TraceError) -> Trace.Entry {
            guard !line.isEmpty else { throw TraceError(line: number, message: "the line is empty") }
            switch self {
            case .csv(let lines): return try lines.entry(line, number: number)
            case .mooncake(let lines): return try lines.entry(line, number: number)
            }
        }
    }

    /// The lines of a file, trimmed; empty ones at its end and a byte-order mark are left out.
    private struct Lines {
        private let bytes: [UInt8]
        private var position = 0
        private var end: Int
        /// Of the line that came last; from 1.
        private(set) var number = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
            end = bytes.count
            while end > position, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[end - 1]) { end -= 1 }
        }

        mutating func next() -> ByteText? {
            guard position < end else { return nil }
            let start = position
            while position < end, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            let line = ByteText(bytes: bytes, range: start..<position)
            position += 1
            number += 1
            return line.trimmed
        }
    }
}
