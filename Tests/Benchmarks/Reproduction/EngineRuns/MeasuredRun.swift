/// Queries as a real engine served them, in the order of their arrival.
struct MeasuredRun: Sendable {
    struct Query: Sendable {
        var arrival: Double
        var inputTokens: Int
        var outputTokens: Int
        /// Seconds from the arrival.
        var firstToken: Double
        /// Seconds between tokens, on average; nil for a single token.
        var tokenTime: Double?
        /// Seconds from the arrival to the last token.
        var latency: Double

        var end: Double { arrival + latency }
    }

    let name: String
    let rate: Double
    let queries: [Query]

    /// The runs of a file, in its order.
    static func read(_ data: DataFolder, _ file: String) throws -> [MeasuredRun] {
        let path = "Tests/Data/engine-runs/\(file)"
        var names: [String] = []
        var rates: [String: Double] = [:]
        var queries: [String: [Query]] = [:]
        for (line, row) in try data.rows(path).enumerated() {
            func number(_ column: String) throws -> Double {
                guard let value = row[column].flatMap(Double.init) else {
                    throw UsageError(message: "\(path) line \(line + 2): \(column) is not a number")
                }
                return value
            }
            let name = row["run"] ?? ""
            if queries[name] == nil { names.append(name) }
            rates[name] = try number("rate_rps")
            let outputTokens = Int(try number("output_tokens"))
            queries[name, default: []].append(
                Query(
                    arrival: try number("arrival_s"),
                    inputTokens: Int(try number("input_tokens")),
                    outputTokens: outputTokens,
                    firstToken: try number("ttft_ms") / 1000,
                    tokenTime: outputTokens > 1 ? try number("tpot_ms") / 1000 : nil,
                    latency: try number("latency_ms") / 1000
                )
            )
        }
        return names.map { name in
            let ordered = (queries[name] ?? []).sorted { $0.arrival < $1.arrival }
            return MeasuredRun(name: name, rate: rates[name] ?? 0, queries: ordered)
        }
    }

    /// The largest number of tokens in the contexts of queries that were decoded at the same moment.
    ///
    /// Each query's answer is taken to grow evenly from its first token to its last. An engine whose memory was full
    /// shows by this how much it has.
    var largestContext: Double {
        queries.map { $0.arrival + $0.firstToken }.reduce(0) { largest, moment in
            max(largest, context(at: moment))
        }
    }

    /// The largest number of queries that were between their first and last token at the same moment.
    var largestBatch: Int {
        queries.map { $0.arrival + $0.firstToken }.reduce(0) { largest, moment in
            max(largest, queries.count { $0.arrival + $0.firstToken <= moment && $0.end > moment })
        }
    }

    private func context(at moment: Double) -> Double {
        queries.reduce(0) { sum, query in
            let begin = query.arrival + query.firstToken
            guard begin <= moment, query.end > moment else { return sum }
            let share = (moment - begin) / max(query.end - begin, 1e-9)
            return sum + Double(query.inputTokens) + share * Double(query.outputTokens)
        }
    }

    /// Queries that had the engine to themselves from their arrival to their first token.
    var undisturbedPrefills: [Int] {
        queries.indices.filter { index in
            let query = queries[index]
            return !queries.indices.contains {
                $0 != index && queries[$0].arrival < query.arrival + query.firstToken && queries[$0].end > query.arrival
            }
        }
    }
}
