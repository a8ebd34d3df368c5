internal import ServingModel

extension Trace {
    /// The trace in the form `arrival_s,input_tokens,output_tokens`, with the further columns that any query has a
    /// value for.
    ///
    /// `TraceReading` gives the same queries back, but for prefix blocks, which this form cannot hold.
    package var csv: String {
        let hasSession = entries.contains { $0.session != nil }
        let hasTenant = entries.contains { !$0.tenant.isEmpty }
        let hasPriority = entries.contains { $0.priority != 0 }
        let hasObjective = entries.contains { $0.objective != nil }
        var text = "arrival_s,input_tokens,output_tokens"
        if hasSession { text += ",session_id" }
        if hasTenant { text += ",tenant" }
        if hasPriority { text += ",priority" }
        if hasObjective { text += ",slo_ttft_ms,slo_atgt_ms" }
        text += "\n"
        for entry in entries {
            text += "\(Self.decimal(entry.arrival.nanoseconds, places: 9)),\(entry.inputTokens),\(entry.outputTokens)"
            if hasSession { text += "," + (entry.session.map(String.init) ?? "") }
            if hasTenant { text += "," + Self.quoted(entry.tenant) }
            if hasPriority { text += ",\(entry.priority)" }
            if hasObjective {
                text += "," + (entry.objective.map { Self.decimal($0.timeToFirstToken.nanoseconds, places: 6) } ?? "")
                text += "," + (entry.objective.map { Self.decimal($0.averageTokenTime.nanoseconds, places: 6) } ?? "")
            }
            text += "\n"
        }
        return text
    }

    /// A number of 10⁻ᵖˡᵃᶜᵉˢ with all its decimals.
    private static func decimal(_ value: Int64, places: Int) -> String {
        let digits = String(value)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return padded.dropLast(places) + "." + padded.suffix(places)
    }

    private static func quoted(_ text: String) -> String {
        let special = text.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 <= 0x20 }
        guard special else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
