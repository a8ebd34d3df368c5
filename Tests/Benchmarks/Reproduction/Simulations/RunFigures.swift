internal import ServingModel
internal import Simulation

/// What came of a load under a policy on a fleet of a given size; times in seconds.
struct RunFigures: Codable, Sendable {
    struct Quantile: Codable, Sendable {
        var p50: Double
        var p90: Double
        var p99: Double

        init(_ quantiles: Quantiles?) {
            p50 = quantiles?.p50.seconds ?? .infinity
            p90 = quantiles?.p90.seconds ?? .infinity
            p99 = quantiles?.p99.seconds ?? .infinity
        }
    }

    struct Group: Codable, Sendable {
        var name: String
        var attainment: Double
        var queries: Int
    }

    var workers: Int
    /// Of each seed.
    var attainments: [Double]
    var firstToken: Quantile
    var tokenTime: Quantile
    /// Queries a second that kept their promises.
    var goodput: Double
    var preemptions: Int
    var workerSeconds: Double
    var lengthClasses: [Group]
    var tenants: [Group]

    init(_ runs: [SimulationRun], workers: Int) {
        let summary = SimulationSummary(runs)
        self.workers = workers
        attainments = summary.attainments
        firstToken = Quantile(summary.timeToFirstToken)
        tokenTime = Quantile(summary.averageTokenTime)
        goodput = summary.goodput
        preemptions = summary.preemptions
        workerSeconds = summary.workerSeconds
        lengthClasses = summary.lengthClasses.map(Self.group)
        tenants = summary.tenants.map(Self.group)
    }

    /// A policy on a fleet, the mean of the study's seeds.
    init(_ study: SimulationStudy, _ policy: String, workers: Int) throws {
        let runs = try study.workloads().compactMap { try study.run(policy, workers: workers, $0) }
        self.init(runs, workers: workers)
    }

    var attainment: Double { attainments.reduce(0, +) / Double(max(attainments.count, 1)) }

    private static func group(_ group: AttainmentGroup) -> Group {
        Group(name: group.name, attainment: group.attainment, queries: group.queries)
    }
}
