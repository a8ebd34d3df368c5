internal import ServingModel

/// Reads the lines of a CSV trace after its header; a class, as it keeps its place and storage from line to line.
final class CSVTraceLines {
    let format: TraceFormat
    private let columns: Columns
    private var row = CSVFields()
    /// Conversations named by a text, numbered as they appear.
    private var sessions: [String: Int] = [:]

    /// Where each column stands; nil for those that the file does not have.
    private struct Columns {
        var count: Int
        var arrival: Int
        var input: Int
        var output: Int
        var session: Int?
        var tenant: Int?
        var priority: Int?
        var timeToFirstToken: Int?
        var averageTokenTime: Int?
    }

    init(header: ByteText) throws(TraceError) {
        var row = CSVFields()
        guard row.split(header) else { throw TraceError(line: 1, message: "a quote is not closed") }
        let names = row.fields.indices.map { row.text($0) }
        for (index, name) in names.enumerated() where names[..<index].contains(name) && !name.isEmpty {
            throw TraceError(line: 1, message: "the column \(name) is there twice")
        }
        format = try Self.format(names)
        let required = format.requiredColumns.compactMap(names.firstIndex(of:))
        columns = Columns(
            count: names.count,
            arrival: required[0],
            input: required[1],
            output: required[2],
            session: names.firstIndex(of: format == .burstGPT ? "Session ID" : "session_id"),
            tenant: names.firstIndex(of: "tenant"),
            priority: names.firstIndex(of: "priority"),
            timeToFirstToken: names.firstIndex(of: "slo_ttft_ms"),
            averageTokenTime: names.firstIndex(of: "slo_atgt_ms")
        )
    }

    /// The form whose columns are all there; an error that names what the most similar form lacks.
    private static func format(_ names: [String]) throws(TraceError) -> TraceFormat {
        var nearest = TraceFormat.aladdin
        var missing = TraceFormat.aladdin.requiredColumns
        for format in [TraceFormat.aladdin, .azure, .burstGPT] {
            let absent = format.requiredColumns.filter { !names.contains($0) }
            if absent.isEmpty { return format }
            if absent.count < missing.count { (nearest, missing) = (format, absent) }
        }
        guard missing.count < nearest.requiredColumns.count else {
            throw TraceError(
                line: 1,
                message: "no trace that is known: expected the header arrival_s,input_tokens,output_tokens"
                    + " (or that of Azure's LLM inference traces or of BurstGPT), or Mooncake's JSON lines"
            )
        }
        let all = nearest.requiredColumns.joined(separator: ",")
        throw TraceError(
            line: 1,
            message: "the column \(missing.joined(separator: ", ")) is missing: expected \(all)"
        )
    }

    /// The query in a line; its arrival is as in the file, of whatever beginning.
    func entry(_ line: ByteText, number: Int) throws(TraceError) -> Trace.Entry {
        guard row.split(line) else { throw TraceError(line: number, message: "a quote is not closed") }
        guard row.fields.count <= columns.count else {
            throw TraceError(
                line: number,
                message: "\(row.fields.count) fields, but the header names \(columns.count)"
            )
        }
        return Trace.Entry(
            arrival: try arrival(number),
            inputTokens: try tokens(columns.input, number),
            outputTokens: try tokens(columns.output, number),
            session: session(),
            tenant: columns.tenant.map { $0 < row.fields.count ? row.text($0) : "" } ?? "",
            priority: try optional(columns.priority, number, expected: "a whole number") { $0.wholeNumber } ?? 0,
            objective: try objective(number),
            line: number
        )
    }

    private func required(_ column: Int, _ number: Int) throws(TraceError) -> ByteText {
        guard column < row.fields.count, !row.fields[column].isEmpty else {
            throw TraceError(line: number, message: "\(name(column)) is missing")
        }
        return row.fields[column]
    }

    private func arrival(_ number: Int) throws(TraceError) -> Interval {
        let field = try required(columns.arrival, number)
        let time = format == .azure ? CalendarTime.nanoseconds(field) : field.scaledDecimal(exponent: 9)
        guard let time else {
            let expected =
                format == .azure ? "a time such as 2023-11-16 18:17:03.9799600" : "a number of seconds from 0"
            throw TraceError(line: number, message: "\(name(columns.arrival)) is \(field.quoted): expected \(expected)")
        }
        return Interval(nanoseconds: time)
    }

    private func tokens(_ column: Int, _ number: Int) throws(TraceError) -> Int {
        let field = try required(column, number)
        guard let count = field.wholeNumber, Trace.tokenCounts.contains(count) else {
            let why = format == .burstGPT && field.wholeNumber == 0 ? " (BurstGPT marks failed requests so)" : ""
            throw TraceError(
                line: number,
                message: "\(name(column)) is \(field.quoted)\(why): expected a whole number from 1"
            )
        }
        return count
    }

    /// BurstGPT's conversations are all numbered; in our form a whole number is the conversation's own.
    private func session() -> Int? {
        guard let column = columns.session, column < row.fields.count, !row.fields[column].isEmpty else { return nil }
        if format != .burstGPT, let own = row.fields[column].wholeNumber { return own }
        let text = row.text(column)
        if let known = sessions[text] { return known }
        // Far from any number that stands for itself.
        let number = (format == .burstGPT ? 0 : -1 << 40) + sessions.count
        sessions[text] = number
        return number
    }

    private func objective(_ number: Int) throws(TraceError) -> ServiceLevelObjective? {
        let first = try milliseconds(columns.timeToFirstToken, number)
        let average = try milliseconds(columns.averageTokenTime, number)
        switch (first, average) {
        case (nil, nil): return nil
        case (let first?, let average?):
            return ServiceLevelObjective(timeToFirstToken: first, averageTokenTime: average)
        default:
            let missing = first == nil ? "slo_ttft_ms" : "slo_atgt_ms"
            throw TraceError(line: number, message: "\(missing) is missing: give both objectives or neither")
        }
    }

    private func milliseconds(_ column: Int?, _ number: Int) throws(TraceError) -> Interval? {
        try optional(column, number, expected: "milliseconds above 0") { field in
            field.scaledDecimal(exponent: 6).flatMap { $0 > 0 ? Interval(nanoseconds: $0) : nil }
        }
    }

    /// The value of a column that may be absent, and empty in any line.
    private func optional<Value>(
        _ column: Int?,
        _ number: Int,
        expected: String,
        _ parse: (ByteText) -> Value?
    ) throws(TraceError) -> Value? {
        guard let column, column < row.fields.count, !row.fields[column].isEmpty else { return nil }
        if let value = parse(row.fields[column]) { return value }
        throw TraceError(
            line: number,
            message: "\(name(column)) is \(row.fields[column].quoted): expected \(expected)"
        )
    }

    private func name(_ column: Int) -> String {
        switch column {
        case columns.arrival: format.requiredColumns[0]
        case columns.input: format.requiredColumns[1]
        case columns.output: format.requiredColumns[2]
        case columns.priority: "priority"
        case columns.timeToFirstToken: "slo_ttft_ms"
        default: "slo_atgt_ms"
        }
    }
}
