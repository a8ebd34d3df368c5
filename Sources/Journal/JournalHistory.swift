internal import GRDB
internal import Glibc
internal import PostgreSQL
internal import ServingModel

/// Reads the past that a journal keeps, also while a broker has it open.
package enum JournalHistory {
    /// Every query that is kept, results or not, in the order of arrival.
    ///
    /// - Parameter place: the journal's directory, or the address of its database.
    /// - Throws: `JournalFailure`, if there is no journal or it cannot be read.
    package static func queries(in place: String) throws(JournalFailure) -> [RecordedQuery] {
        guard PostgreSQLAddress.isAddress(place) else { return try queries(inDirectory: place) }
        do {
            return try PostgreSQLHistory.queries(in: PostgreSQLAddress(place))
        } catch let fault as PostgreSQLAddress.Fault {
            throw JournalFailure(.inputOutput, "the journal's address is wrong: \(fault)")
        } catch let failure as JournalFailure {
            throw failure
        } catch {
            throw JournalFailure(.inputOutput, "\(error)")
        }
    }

    private static func queries(inDirectory directory: String) throws(JournalFailure) -> [RecordedQuery] {
        let file = JournalFile(directory: JournalDirectory(path: directory))
        guard access(file.directory.database, F_OK) == 0 else {
            throw JournalFailure(
                .inputOutput,
                "there is no journal in \(directory): \(file.directory.database) is missing"
            )
        }
        do {
            let connection = try file.connectToRead()
            let queries = try connection.read { database in
                try JournalInspection(database: database).checkKind()
                guard try !JournalSchema.migrator.hasBeenSuperseded(database) else {
                    throw JournalFailure(
                        .newerVersion,
                        "\(directory) was written by a later version of aladdin; use that"
                    )
                }
                return try read(database)
            }
            try connection.close()
            return queries
        } catch {
            throw JournalFailure(error, "reading", file.directory.database)
        }
    }

    private static func read(_ database: Database) throws -> [RecordedQuery] {
        // Positions, as there may be a million rows.
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT model, tenant, priority, ttft_objective_ns, atgt_objective_ns, arrival_ms,
                    ifnull(counted_input_tokens, input_tokens), ended_ms, output_tokens, worker, first_token_ns,
                    last_token_ns, met
                FROM query ORDER BY arrival_ms, number
                """
        )
        var queries: [RecordedQuery] = []
        while let row = try rows.next() {
            var end: RecordedQuery.End?
            if (row[7] as Int64?) != nil {
                end = RecordedQuery.End(
                    outputTokens: row[8] ?? 0,
                    worker: row[9] ?? "",
                    firstToken: (row[10] as Int64?).map(Interval.init(nanoseconds:)),
                    lastToken: (row[11] as Int64?).map(Interval.init(nanoseconds:)),
                    metObjective: row[12] ?? false
                )
            }
            queries.append(
                RecordedQuery(
                    model: row[0],
                    tenant: row[1],
                    priority: row[2],
                    objective: ServiceLevelObjective(
                        timeToFirstToken: Interval(nanoseconds: row[3]),
                        averageTokenTime: Interval(nanoseconds: row[4])
                    ),
                    arrival: UnixTime(milliseconds: row[5]),
                    inputTokens: row[6],
                    end: end
                )
            )
        }
        return queries
    }
}
