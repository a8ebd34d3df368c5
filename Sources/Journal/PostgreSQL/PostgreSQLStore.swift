internal import Brokering
internal import PostgreSQL
internal import ServingModel

/// A connection to a journal in PostgreSQL that writes for one epoch.
///
/// Belongs to one thread at a time. After an error of kind `connection` or `abandoned` it is of no more use.
final class PostgreSQLStore {
    private let connection: PostgreSQLConnection
    private let configuration: JournalConfiguration
    private let epoch: UInt32

    init(
        _ database: PostgreSQLDatabase,
        _ configuration: JournalConfiguration,
        epoch: UInt32,
        whileWaiting: PostgreSQLConnection.Waiting
    ) throws(PostgreSQLError) {
        connection = try database.connect(for: .writing, whileWaiting: whileWaiting)
        self.configuration = configuration
        self.epoch = epoch
        try connection.prepare(PostgreSQLWriter.prepared, whileWaiting: whileWaiting)
    }

    func reader(_ waiting: @escaping PostgreSQLConnection.Waiting) -> PostgreSQLReader {
        PostgreSQLReader(connection: connection, waiting: waiting)
    }

    /// What a commit changed.
    struct Change {
        var ended = 0
        var bytes: Int64 = 0
    }

    /// Writes `records` in one transaction and one round trip, as those after the first `written` of this epoch; they
    /// are durable when this returns.
    ///
    /// A transaction that is not the next of the leading epoch changes nothing.
    func commit(
        _ records: [JournalRecord],
        after written: UInt64,
        whileWaiting: PostgreSQLConnection.Waiting
    ) throws(PostgreSQLError) -> Change {
        var statements = [advance(from: written, to: written + UInt64(records.count))]
        // Which statement tells of which record.
        var tellers: [(statement: Int, record: JournalRecord)] = []
        for record in records.lasting {
            statements += PostgreSQLWriter.statements(for: record)
            tellers.append((statements.count - 1, record))
        }
        let results = try connection.run(statements, whileWaiting: whileWaiting)
        var change = Change()
        for (index, record) in tellers {
            switch record {
            case .accepted(let query):
                change.bytes += Int64(PostgreSQLWriter.bytes(of: query))
            case .ended:
                change.ended += results[index].count
                change.bytes += results[index].number ?? 0
            case .acknowledged:
                change.bytes += results[index].number ?? 0
            case .leased, .retried, .resumed, .checkpoint, .reset:
                break
            }
        }
        return change
    }

    /// Where the journal is: the latest epoch, and how many records were written in it.
    func position(whileWaiting: PostgreSQLConnection.Waiting) throws(PostgreSQLError) -> (epoch: Int64, records: Int64)
    {
        let rows = try connection.run(
            PostgreSQLStatement("SELECT epoch, records FROM broker"),
            whileWaiting: whileWaiting
        )
        guard rows.count == 1, case .integer(let epoch) = rows.value(0, 0),
            case .integer(let records) = rows.value(0, 1)
        else { throw PostgreSQLError(.refused, "the row of 'broker' is gone") }
        return (epoch, records)
    }

    /// How many of the ended queries are older than `oldest`, at most one step of them.
    func expired(before oldest: UnixTime, whileWaiting: PostgreSQLConnection.Waiting) throws(PostgreSQLError) -> Int {
        let rows = try connection.run(
            PostgreSQLStatement(
                "SELECT count(*) FROM (SELECT FROM query WHERE ended_ms < $1 LIMIT $2) AS expired",
                [.integer(oldest.milliseconds), .integer(Int64(configuration.pruneStep))]
            ),
            whileWaiting: whileWaiting
        )
        return Int(rows.number ?? 0)
    }

    /// Drops `count` ended queries, those that ended first before others.
    func drop(
        _ count: Int,
        after written: UInt64,
        whileWaiting: PostgreSQLConnection.Waiting
    ) throws(PostgreSQLError) -> Change {
        let results = try connection.run(
            [
                advance(from: written, to: written),
                // No number is used twice, though its row goes.
                PostgreSQLStatement(
                    """
                    UPDATE broker SET next_number = greatest(next_number, (SELECT max(number) + 1 FROM query))
                    """
                ),
                PostgreSQLStatement(Self.dropping, [.integer(Int64(count))]),
            ],
            whileWaiting: whileWaiting
        )
        guard case .integer(let dropped) = results[2].value(0, 0), case .integer(let bytes) = results[2].value(0, 1)
        else {
            return Change()
        }
        return Change(ended: -Int(dropped), bytes: -bytes)
    }

    private static let dropping = """
        WITH gone AS (
            DELETE FROM query WHERE number IN (
                SELECT number FROM query WHERE ended_ms IS NOT NULL ORDER BY ended_ms, number LIMIT $1
            ) RETURNING number, bytes
        ), results AS (
            DELETE FROM result WHERE query IN (SELECT number FROM gone)
        ), failures AS (
            DELETE FROM failure WHERE query IN (SELECT number FROM gone)
        ) SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM gone
        """

    private func advance(from written: UInt64, to next: UInt64) -> PostgreSQLStatement {
        PostgreSQLStatement(
            prepared: "advance",
            [.integer(Int64(epoch)), .integer(Int64(written)), .integer(Int64(next))]
        )
    }
}
