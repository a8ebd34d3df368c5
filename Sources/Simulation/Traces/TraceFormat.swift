/// The forms of trace that are read, told apart by their first line.
package enum TraceFormat: String, Hashable, Sendable, CaseIterable {
    /// CSV with `arrival_s,input_tokens,output_tokens` and more columns that may be left out.
    case aladdin
    /// Azure's LLM inference traces of 2023 and 2024, CSV with times of day.
    case azure
    /// Mooncake's traces, a JSON object a line.
    case mooncake
    /// BurstGPT's CSV, with or without its later columns.
    case burstGPT

    /// The columns that make a file one of this form.
    var requiredColumns: [String] {
        switch self {
        case .aladdin: ["arrival_s", "input_tokens", "output_tokens"]
        case .azure: ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
        case .mooncake: ["timestamp", "input_length", "output_length"]
        case .burstGPT: ["Timestamp", "Request tokens", "Response tokens"]
        }
    }

    /// Whether times count from the first query: the public traces' clocks began long before it.
    var beginsAtFirstQuery: Bool { self != .aladdin }
}
