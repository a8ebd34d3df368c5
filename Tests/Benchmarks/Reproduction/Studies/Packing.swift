internal import Scheduling
internal import ServingModel
internal import Simulation

/// Best-fit against the best packing there is, on cases that are small enough to try every one.
struct Packing: Study {
    static let name = "packing"
    private static let queries = 8

    typealias Finding = [Case]

    /// What one case came to.
    struct Case: Codable, Sendable {
        var needed: Int
        var used: Int
        /// Queries whose promises best-fit's placement broke.
        var misses: Int
    }

    let data: DataFolder

    private func cases(_ scope: Scope) -> Range<Int> { 0..<(scope == .full ? 400 : 60) }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let profile = try data.profile("p13")
        return ["aladdin-paper:hold=off:theta=0.7"].map { policy in
            Question(QuestionKey(policy: policy)) {
                try cases(scope).map { number in
                    var generator = SeededGenerator(seed: UInt64(number + 1))
                    let sample = Sample(profile, queries: Self.queries, &generator)
                    let (used, misses) = try sample.use(policy)
                    return Case(needed: try sample.fewestWorkers(), used: used, misses: misses)
                }
            }
        }
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Best-fit against the best packing")
        let policy = "aladdin-paper:hold=off:theta=0.7"
        guard let found = findings[QuestionKey(policy: policy)], !found.isEmpty else { return chapter }
        let needed = found.reduce(0) { $0 + $1.needed }
        let used = found.reduce(0) { $0 + $1.used }
        let misses = found.reduce(0) { $0 + $1.misses }
        chapter.text(
            """
            \(found.count) random cases of \(Self.queries) queries that arrive together, with lengths known, promises and KV
            caches of different sizes. Every way to divide the queries among workers was simulated; the fewest workers that
            break no promise are the optimum. `\(policy)` places one query after the other, as a scheduler must. Over all
            cases it used \(used) workers where \(needed) were needed, and broke \(misses) of
            \(found.count * Self.queries) promises.
            """
        )
        let excesses = found.map { $0.used - $0.needed }
        let rows = Set(excesses).sorted().map { excess in
            let cases = zip(found, excesses).filter { $0.1 == excess }.map(\.0)
            let broken = cases.count { $0.misses > 0 }
            let title = excess > 0 ? "\(excess) more" : excess < 0 ? "\(-excess) fewer" : "as many"
            return [Cell(title), Cell.count(cases.count), .count(broken)]
        }
        chapter.table(["workers, against the optimum", "cases", "of those with a broken promise"], rows)
        chapter.provenance(findings)
        return chapter
    }
}

/// Queries that arrive at once, and what is scarce for them.
private struct Sample {
    private var profile: LatencyProfile
    private var queries: [SimulatedQuery] = []

    /// Each query fits a worker of its own.
    init(_ profile: LatencyProfile, queries count: Int, _ generator: inout SeededGenerator) {
        self.profile = profile
        self.profile.kvCache.capacityTokens = [3200, 6400, 51_200].randomElement(using: &generator) ?? 51_200
        let firstToken = [500, 1000, 2000].randomElement(using: &generator) ?? 1000
        let tokenTime = [35, 50, 80].randomElement(using: &generator) ?? 50
        let objective = ServiceLevelObjective(
            timeToFirstToken: .milliseconds(Int64(firstToken)),
            averageTokenTime: .milliseconds(Int64(tokenTime))
        )
        while queries.count < count {
            let query = SimulatedQuery(
                arrival: .zero,
                inputTokens: Int.random(in: 20...1500, using: &generator),
                outputTokens: Int.random(in: 2...400, using: &generator),
                objective: objective
            )
            let alone = UnloadedLatency(
                profile: profile,
                inputTokens: query.inputTokens,
                outputTokens: query.outputTokens
            )
            if alone.isWithin(objective) { queries.append(query) }
        }
    }

    /// What a policy makes of it with a worker for each query: workers used, promises broken.
    func use(_ policy: String) throws -> (workers: Int, misses: Int) {
        let records = try run(queries, workers: queries.count, policy)
        let misses = zip(queries, records).count { !$0.isMet(by: $1) }
        return (Set(records.compactMap(\.worker)).count, misses)
    }

    /// By dynamic programming over sets of queries: a set is one worker more than what is left without some subset that
    /// one worker can serve.
    func fewestWorkers() throws -> Int {
        let sets = 1 << queries.count
        var isServable = [Bool](repeating: false, count: sets)
        for set in 1..<sets {
            let some = queries.indices.filter { set >> $0 & 1 == 1 }.map { queries[$0] }
            let records = try run(some, workers: 1, "round-robin")
            isServable[set] = zip(some, records).allSatisfy { $0.isMet(by: $1) }
        }
        var fewest = [Int](repeating: queries.count, count: sets)
        fewest[0] = 0
        for set in 1..<sets {
            var subset = set
            while subset > 0 {
                if isServable[subset] { fewest[set] = min(fewest[set], fewest[set & ~subset] + 1) }
                subset = (subset - 1) & set
            }
        }
        return fewest[sets - 1]
    }

    private func run(_ queries: [SimulatedQuery], workers: Int, _ policy: String) throws -> [QueryRecord] {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.tellsLengths = true
        let profiles = Array(repeating: profile, count: workers)
        let workload = StudyWorkload(seed: 1, queries: queries, lengths: .init(), seconds: 1, warmUpSeconds: 0)
        return try ClusterRun(profiles: profiles, policy: policy, configuration: configuration).run(workload).records
    }
}
