extension MeasurementTable {
    /// Reads CSV with the columns `device,model,tp,batch,TOKENS,latency_ms` in any order; further columns are ignored.
    ///
    /// TOKENS is `input_tokens_total` of a prefill and `context_tokens_total` of a decode.
    ///
    /// - Throws: `MeasurementTableError` for an empty file, a missing column, a row that is too short, a name that is
    ///   empty, a count that is no whole number from 1 or a latency that is no number above 0.
    package init(csv text: String, phase: Phase) throws(MeasurementTableError) {
        // Not by characters: a carriage return and its line feed are one character in Swift.
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            Substring($0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard let header = lines.first else { throw MeasurementTableError(line: 1, message: "the file is empty") }
        let columns = try Columns(header, phase)
        guard lines.count > 1 else {
            throw MeasurementTableError(line: 1, message: "there is no measurement below the columns")
        }
        var rows: [Row] = []
        rows.reserveCapacity(lines.count - 1)
        for (index, line) in lines.enumerated().dropFirst() {
            rows.append(try columns.row(line, number: index + 1))
        }
        self.init(rows: rows)
    }

    /// Where each column stands.
    private struct Columns {
        private let names: [String]
        private let places: [Int]
        private let width: Int

        init(_ header: Substring, _ phase: Phase) throws(MeasurementTableError) {
            names = ["device", "model", "tp", "batch", phase.tokensColumn, "latency_ms"]
            var found = header.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
            // Spreadsheets begin a file with a byte-order mark.
            if let first = found.first, first.hasPrefix("\u{FEFF}") { found[0] = first.dropFirst() }
            width = found.count
            var places: [Int] = []
            for name in names {
                guard let place = found.firstIndex(of: Substring(name)) else {
                    throw MeasurementTableError(
                        line: 1,
                        column: name,
                        message: "the column is missing; a \(phase.rawValue) file has \(names.joined(separator: ","))"
                    )
                }
                places.append(place)
            }
            self.places = places
        }

        func row(_ line: Substring, number: Int) throws(MeasurementTableError) -> Row {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
            guard fields.count == width else {
                throw MeasurementTableError(
                    line: number,
                    message: "there are \(fields.count) fields where the header has \(width)"
                )
            }
            let setting = Setting(
                device: try text(0, fields, number),
                model: try text(1, fields, number),
                gpus: try count(2, fields, number)
            )
            return Row(
                setting: setting,
                batch: try count(3, fields, number),
                tokens: try count(4, fields, number),
                milliseconds: try latency(5, fields, number)
            )
        }

        private func text(_ column: Int, _ fields: [Substring], _ line: Int) throws(MeasurementTableError) -> String {
            let field = fields[places[column]]
            guard !field.isEmpty else {
                throw MeasurementTableError(
                    line: line,
                    column: names[column],
                    message: "it is empty; it must be a name"
                )
            }
            return String(field)
        }

        private func count(_ column: Int, _ fields: [Substring], _ line: Int) throws(MeasurementTableError) -> Int {
            let field = fields[places[column]]
            guard let count = Int(field), count >= 1, count <= 1_000_000_000 else {
                throw MeasurementTableError(
                    line: line,
                    column: names[column],
                    message: "it is '\(field)'; it must be a whole number from 1"
                )
            }
            return count
        }

        private func latency(_ column: Int, _ fields: [Substring], _ line: Int) throws(MeasurementTableError) -> Double
        {
            let field = fields[places[column]]
            guard let latency = Double(field), latency.isFinite, latency > 0, latency <= 1e9 else {
                throw MeasurementTableError(
                    line: line,
                    column: names[column],
                    message: "it is '\(field)'; it must be a number of milliseconds above 0"
                )
            }
            return latency
        }

        private static func trimmed(_ field: Substring) -> Substring {
            var field = field
            while field.first == " " { field.removeFirst() }
            while field.last == " " { field.removeLast() }
            return field
        }
    }
}
