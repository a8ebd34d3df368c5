internal import PostgreSQL
internal import ServingModel

/// Reads the past that a journal in PostgreSQL keeps.
enum PostgreSQLHistory {
    private static let page: Int64 = 20_000

    /// Every query that is kept, in the order of arrival.
    ///
    /// - Throws: `JournalFailure`.
    static func queries(in address: PostgreSQLAddress) throws -> [RecordedQuery] {
        do {
            let database = PostgreSQLDatabase(address: address, instance: "")
            let connection = try database.connect(for: .reading, whileWaiting: waiting)
            _ = try connection.prepareSchema(of: address, migrates: false, whileWaiting: waiting)
            var queries: [RecordedQuery] = []
            var last: (arrival: Int64, number: Int64) = (.min, .min)
            while true {
                let rows = try connection.run(
                    PostgreSQLStatement(sql, [.integer(last.arrival), .integer(last.number), .integer(page)]),
                    whileWaiting: waiting
                )
                for row in rows.all {
                    queries.append(try RecordedQuery(row))
                    last = (try row.read("arrival_ms"), try row.read("number"))
                }
                guard Int64(rows.count) == page else { return queries }
            }
        } catch {
            throw JournalFailure(error, "reading", address)
        }
    }

    private static let sql = """
        SELECT number, model, tenant, priority, ttft_objective_ns, atgt_objective_ns, arrival_ms,
            coalesce(counted_input_tokens, input_tokens) AS known_input_tokens, ended_ms, output_tokens, worker,
            first_token_ns, last_token_ns, met
        FROM query WHERE (arrival_ms, number) > ($1, $2) ORDER BY arrival_ms, number LIMIT $3
        """

    private static func waiting(_ waited: Interval) throws(PostgreSQLError) {
        guard waited < .seconds(60) else { throw PostgreSQLError(.abandoned, "the database does not answer") }
    }
}

extension RecordedQuery {
    fileprivate init(_ row: PostgreSQLRow) throws {
        var end: End?
        if try row.readOptional("ended_ms") as Int64? != nil {
            end = End(
                outputTokens: try row.readOptional("output_tokens") ?? 0,
                worker: try row.readOptional("worker") ?? "",
                firstToken: (try row.readOptional("first_token_ns") as Int64?).map(Interval.init(nanoseconds:)),
                lastToken: (try row.readOptional("last_token_ns") as Int64?).map(Interval.init(nanoseconds:)),
                metObjective: try row.readOptional("met") ?? false
            )
        }
        self.init(
            model: try row.read("model"),
            tenant: try row.read("tenant"),
            priority: try row.read("priority"),
            objective: ServiceLevelObjective(
                timeToFirstToken: Interval(nanoseconds: try row.read("ttft_objective_ns")),
                averageTokenTime: Interval(nanoseconds: try row.read("atgt_objective_ns"))
            ),
            arrival: UnixTime(milliseconds: try row.read("arrival_ms")),
            inputTokens: try row.readOptional("known_input_tokens"),
            end: end
        )
    }
}
