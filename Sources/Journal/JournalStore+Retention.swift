internal import GRDB
internal import ServingModel

extension JournalStore {
    /// One bounded step towards what the journal is to keep, if that is due.
    ///
    /// - Returns: whether there is more to do now.
    func prune(at time: UnixTime) throws(JournalFailure) -> Bool {
        // A clock that was set back is no reason to wait.
        let interval = configuration.pruneInterval.nanoseconds / 1_000_000
        guard time >= nextPruning || nextPruning.milliseconds - time.milliseconds > interval else { return false }
        do {
            let hasMore = try connection.inDatabase { database in
                let dropped = try dropEnded(database, at: time)
                let freed = try shrink(database)
                return dropped == configuration.pruneStep || freed
            }
            if !hasMore { nextPruning = UnixTime(milliseconds: time.milliseconds + interval) }
            return hasMore
        } catch {
            throw JournalFailure(error, "writing", file.directory.database)
        }
    }

    /// Drops ended queries that are too old or too many, those that ended first before others.
    private func dropEnded(_ database: Database, at time: UnixTime) throws -> Int {
        let oldest = time.milliseconds - configuration.retention.nanoseconds / 1_000_000
        let surplus = max(endedQueries - configuration.maxResults, 0)
        let step = configuration.pruneStep
        let isTooLarge = try usedBytes(database) > configuration.maxBytes
        var count = min(isTooLarge ? step : surplus, step)
        if count < step {
            // Bounded, as there may be very many.
            let expired = "SELECT count(*) FROM (SELECT 1 FROM query WHERE ended_ms < ? LIMIT ?)"
            count = max(count, try Int.fetchOne(database, sql: expired, arguments: [oldest, step]) ?? 0)
        }
        count = min(count, endedQueries)
        guard count > 0 else { return 0 }
        try database.inTransaction(.immediate) {
            // No number is used twice, though its row goes.
            try database.execute(
                sql: "UPDATE broker SET next_number = max(next_number, (SELECT max(number) + 1 FROM query))"
            )
            try database.execute(
                sql: """
                    DELETE FROM query WHERE number IN
                    (SELECT number FROM query WHERE ended_ms IS NOT NULL ORDER BY ended_ms, number LIMIT ?)
                    """,
                arguments: [count]
            )
            count = database.changesCount
            return .commit
        }
        endedQueries -= count
        return count
    }

    private func usedBytes(_ database: Database) throws -> Int64 {
        let pages = try pragma("page_count", database) - pragma("freelist_count", database)
        return try pages * pragma("page_size", database)
    }

    /// Gives free pages back if there are many; small numbers are used again soon.
    ///
    /// - Returns: whether there are more.
    private func shrink(_ database: Database) throws -> Bool {
        let (pages, free) = (try pragma("page_count", database), try pragma("freelist_count", database))
        guard free > 4096, free > pages / 4 else { return false }
        try database.execute(sql: "PRAGMA incremental_vacuum(\(configuration.vacuumPages))")
        return true
    }

    private func pragma(_ name: String, _ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "PRAGMA \(name)") ?? 0
    }
}
