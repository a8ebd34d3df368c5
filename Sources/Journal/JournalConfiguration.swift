package import ServingModel

/// How much a journal keeps, and how it writes.
package struct JournalConfiguration: Hashable, Sendable {
    /// How long an ended query is kept: its result until it is acknowledged, its numbers all the time.
    package var retention: Interval = .seconds(24 * 60 * 60)
    /// Ended queries kept at most; beyond it the one that ended first goes first.
    package var maxResults = 1_000_000
    /// Bytes of the database in use at most, for the same purpose.
    ///
    /// Unfinished queries are never dropped, so it may be exceeded by what the broker accepts at once.
    package var maxBytes: Int64 = 8 << 30
    /// Records in one transaction at most: a larger group costs fewer syncs and delays its first record.
    package var maxGroupRecords = 1024
    /// Bytes in one transaction, if more than one record.
    package var maxGroupBytes = 4 << 20
    /// Bytes of records that may wait for the disk.
    ///
    /// The broker bounds what it accepts, so that this is reached only if the disk stands still; the journal then fails
    /// rather than grow.
    package var maxBacklogBytes = 2 << 30
    /// Pages (of 4 KiB) in the write-ahead log before they are moved into the database, beside the commits.
    package var logPages: Int32 = 1000
    /// Pages in the log before a commit waits until they are moved.
    package var maxLogPages: Int32 = 16_384
    /// How often what is beyond retention is looked for.
    package var pruneInterval: Interval = .seconds(10)
    /// Ended queries dropped in one transaction at most: between two groups of records there is one such step.
    package var pruneStep = 256
    /// Free pages that are given back to the file system in one step at most.
    package var vacuumPages = 256
    /// Set a damaged journal aside and go on with what can be read of it, instead of refusing to open it.
    package var acceptsLoss = false
    /// In a database: how long this broker may lead after its lease was renewed last.
    ///
    /// Another takes over when it has not been for as long.
    package var lease: Interval = .seconds(5)
    /// How long records wait for such a database until new queries are refused instead of waiting.
    package var stallAfter: Interval = .seconds(1)
    /// How long an answer is waited for on one connection; then another is tried.
    package var answerPatience: Interval = .seconds(10)

    package init() {}
}
