package import ServingModel

/// What a seed is like: who takes part, how much work there is, and how much fails.
package struct FaultPlan: Hashable, Sendable {
    package var clients = 5
    package var workers = 4
    package var queries = 40
    /// Until when queries are submitted and faults happen.
    package var unrest = Interval.seconds(6)
    /// Within which everything has to end after that.
    package var patience = Interval.seconds(60)
    /// Mean time between faults; nil for none.
    package var faultGap: Interval?
    /// Per action of the broker.
    package var crashChance = 0.0
    /// Of a broker's restart.
    package var downtime = Interval.milliseconds(300)
    package var duplicateChance = 0.0
    package var slowReaderChance = 0.1
    /// Of a sync, in milliseconds.
    package var syncMilliseconds = 1.0
    package var slowSyncChance = 0.0
    package var failedSyncChance = 0.0
    /// Per step.
    package var engineFailureChance = 0.0
    package var poisonChance = 0.0
    package var policies = ["jsq", "aladdin"]
    package var hasStandby = false
    /// Whether some workers are for prompts alone and some for decodes, with KV caches handed over in between.
    package var isSplit = false
    /// That a KV cache is gone when it is wanted.
    package var cacheLossChance = 0.0

    package init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed ^ 0x00FA_0175)
        clients = 3 + generator.index(below: 4)
        workers = 2 + generator.index(below: 4)
        queries = 20 + generator.index(below: 40)
        // A few seeds are calm: what fails there fails without any fault.
        let intensity = generator.index(below: 8)
        if intensity > 0 {
            faultGap = .milliseconds(Int64(100 + generator.index(below: 900)))
            crashChance = [0, 0.0005, 0.002, 0.006][generator.index(below: 4)]
            duplicateChance = [0, 0.01, 0.05][generator.index(below: 3)]
            slowSyncChance = [0, 0.05, 0.2][generator.index(below: 3)]
            failedSyncChance = [0, 0.002, 0.01][generator.index(below: 3)]
            engineFailureChance = [0, 0.003, 0.02][generator.index(below: 3)]
            poisonChance = [0, 0.05, 0.1][generator.index(below: 3)]
        }
        slowReaderChance = generator.uniform() * 0.3
        syncMilliseconds = [0.2, 1, 5, 20][generator.index(below: 4)]
        downtime = .milliseconds(Int64(10 + generator.index(below: 900)))
        // Queries that are late wait for minutes otherwise before they go whatever they harm.
        let aladdin = "aladdin:longest-wait=1:forced-interval=0.1"
        let names = [aladdin, "jsq", "least-ttft", "round-robin", "power-of-two", "aladdin-paper", "random"]
        policies = [names[generator.index(below: names.count)], names[generator.index(below: names.count)]]
        hasStandby = generator.index(below: 2) == 0
        isSplit = generator.index(below: 3) == 0
        if isSplit { workers = max(workers, 4) }
        if intensity > 0 { cacheLossChance = [0, 0.05, 0.3][generator.index(below: 3)] }
    }
}
