package import Scheduling
internal import ServingModel

/// What one run of a study offers: the queries, and what the scheduler knows of answers beforehand.
package struct StudyWorkload: Sendable {
    package let seed: UInt64
    /// In order of arrival.
    package let queries: [SimulatedQuery]
    package let lengths: LengthHistory
    /// Indices of the queries that count: those that arrive after the warm-up.
    package let counted: Range<Int>
    /// From its beginning to its end, in seconds.
    package let seconds: Double
    package let warmUpSeconds: Double

    package init(
        seed: UInt64,
        queries: [SimulatedQuery],
        lengths: LengthHistory,
        seconds: Double,
        warmUpSeconds: Double
    ) {
        self.seed = seed
        self.queries = queries
        self.lengths = lengths
        let warmUp = Instant.zero + .seconds(rounding: warmUpSeconds)
        counted = (queries.firstIndex { $0.arrival >= warmUp } ?? queries.count)..<queries.count
        self.seconds = seconds
        self.warmUpSeconds = warmUpSeconds
    }

    /// For how long queries that count arrive.
    package var countedSeconds: Double { seconds - warmUpSeconds }
}
