internal import ServingModel

/// The figures of some runs that differ by their seeds only; of queries that arrive after the warm-up.
package struct SimulationSummary: Sendable {
    /// Of all runs together.
    package private(set) var queries = 0
    package private(set) var met = 0
    /// Queries without an end.
    package private(set) var unfinished = 0
    /// Of those, queries that were not admitted.
    package private(set) var refused = 0
    package private(set) var preemptions = 0
    /// Queries that a worker failed with, or outgrew.
    package private(set) var retried = 0
    /// Tokens of all answers that ended, those of the warm-up included; the mean of the runs.
    package let answeredTokens: Double
    /// The share of each run's queries that kept both objectives.
    package let attainments: [Double]
    /// Of all queries with a first token; nil if there are none.
    package let timeToFirstToken: Quantiles?
    /// Of all finished queries of two tokens and more; nil if there are none.
    package let averageTokenTime: Quantiles?
    /// By output length; classes without queries are left out.
    package let lengthClasses: [AttainmentGroup]
    /// By tenant, in the order of their names; empty unless there are several.
    package let tenants: [AttainmentGroup]
    /// By priority, the highest first; empty unless there are several.
    package let priorities: [AttainmentGroup]
    /// Tokens later than their pace; nil if tokens were not followed.
    package let lateness: TokenLateness?
    /// Queries a second that kept their objectives, the mean of the runs.
    package let goodput: Double
    /// The mean of the runs.
    package let workerSeconds: Double
    package let gpuSeconds: Double
    /// The share of all prompt tokens that were not computed, because they were in a KV cache; the mean of the runs.
    package let cachedPromptShare: Double
    /// A decision's time, a query; nil without a stopwatch.
    package let decision: Quantiles?

    /// - Precondition: at least one run.
    package init(_ runs: [SimulationRun]) {
        precondition(!runs.isEmpty)
        var firstTokens: [Interval] = []
        var tokenTimes: [Interval] = []
        var classes = OutputLengthClass.groups
        var tenants: [String: AttainmentGroup] = [:]
        var priorities: [Int: AttainmentGroup] = [:]
        for run in runs {
            for index in run.workload.counted {
                let query = run.workload.queries[index]
                let record = run.records[index]
                let isMet = query.isMet(by: record)
                queries += 1
                if isMet { met += 1 }
                if record.finish == nil { unfinished += 1 }
                if record.refusal != nil { refused += 1 }
                preemptions += record.preemptions
                if record.attempts > 1 { retried += 1 }
                if let time = query.timeToFirstToken(by: record) { firstTokens.append(time) }
                if let time = query.averageTokenTime(by: record) { tokenTimes.append(time) }
                classes[OutputLengthClass.index(of: query.outputTokens)].count(isMet: isMet)
                tenants[query.tenant, default: AttainmentGroup(query.tenant)].count(isMet: isMet)
                priorities[query.priority, default: AttainmentGroup("\(query.priority)")].count(isMet: isMet)
            }
        }
        let count = Double(runs.count)
        answeredTokens = runs.reduce(0) { $0 + Self.answeredTokens(of: $1) } / count
        attainments = runs.map(\.attainment)
        cachedPromptShare = runs.reduce(0) { $0 + $1.cachedPromptShare } / count
        timeToFirstToken = Quantiles(firstTokens)
        averageTokenTime = Quantiles(tokenTimes)
        lengthClasses = classes.filter { $0.queries > 0 }
        self.tenants = tenants.count > 1 ? tenants.values.sorted { $0.name < $1.name } : []
        self.priorities = priorities.count > 1 ? priorities.keys.sorted(by: >).compactMap { priorities[$0] } : []
        let followed = runs.compactMap(\.lateness)
        lateness = followed.isEmpty ? nil : followed.reduce(TokenLateness()) { $0 + $1 }
        goodput = runs.reduce(0) { $0 + Self.goodput(of: $1) } / count
        workerSeconds = runs.reduce(0) { $0 + $1.workerSeconds } / count
        gpuSeconds = runs.reduce(0) { $0 + $1.gpuSeconds } / count
        decision = Quantiles(runs.flatMap(\.decisionTimes).map { Interval(nanoseconds: Int64(clamping: $0)) })
    }

    /// The mean of the runs' attainments.
    package var attainment: Double { Self.mean(attainments) }

    /// The mean, as everything that compares attainments computes it.
    static func mean(_ attainments: [Double]) -> Double {
        attainments.reduce(0, +) / Double(attainments.count)
    }

    private static func answeredTokens(of run: SimulationRun) -> Double {
        zip(run.workload.queries, run.records).reduce(0) { $0 + ($1.1.finish == nil ? 0 : Double($1.0.outputTokens)) }
    }

    private static func goodput(of run: SimulationRun) -> Double {
        let met = Double(run.workload.counted.count - run.misses)
        if run.workload.countedSeconds > 0 { return met / run.workload.countedSeconds }
        // All at once: the time that they took.
        let last = run.records.compactMap(\.finish).max()?.seconds ?? 0
        return last > 0 ? met / last : 0
    }
}

extension TokenLateness {
    static func + (left: TokenLateness, right: TokenLateness) -> TokenLateness {
        TokenLateness(tokens: left.tokens + right.tokens, late: left.late + right.late)
    }
}
