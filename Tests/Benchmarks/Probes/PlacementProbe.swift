internal import Foundation
internal import RecordTables
internal import Scheduling
internal import ServingModel
internal import Simulation

/// What it costs the production scheduler to place a query, on fleets of several sizes under the same load a worker.
///
/// Simulated workers are filled until queries end as fast as they come. Then each fleet in turn runs for a short while,
/// and what the scheduler takes to hear of arrivals and to decide is timed; taking in workers' reports is not.
struct PlacementProbe {
    private let arguments: ProbeArguments
    private let policy: String
    private let fleets: [Int]
    private let rounds: Int
    private let decisionsPerRound: Int
    /// Queries a second for each worker.
    private let rate: Double
    private let fillSeconds: Double
    /// What reading the clock adds to a time.
    private let stopwatchNanoseconds = stopwatchCost()

    init(_ arguments: ProbeArguments) throws {
        self.arguments = arguments
        policy = arguments.text("policy", default: "aladdin")
        fleets = try arguments.numbers("workers", default: [10, 100, 1000])
        rounds = Int(try arguments.number("rounds", default: 5))
        decisionsPerRound = Int(try arguments.number("decisions", default: 2000))
        rate = try arguments.number("rate", default: 1.9)
        fillSeconds = try arguments.number("fill-s", default: 20)
    }

    /// One fleet with its figures of each round.
    private struct Fleet {
        let workers: Int
        var simulation: ClusterSimulation
        var placements = 0
        var microseconds: [Double] = []
        var p99: [Double] = []
        var inFlight = 0
    }

    func run() throws {
        var running = try fleets.map(fill)
        for _ in 0..<rounds {
            for index in running.indices { time(&running[index]) }
        }
        let results = running.map { fleet -> [String: Any] in
            [
                "workers": fleet.workers, "in_flight": fleet.inFlight, "placements": fleet.placements,
                "us_per_decision": fleet.microseconds, "p99_us": fleet.p99,
            ]
        }
        try report(["policy": policy, "fleets": results])
    }

    private func fill(_ workers: Int) throws -> Fleet {
        var study = try arguments.study()
        study.plan.rate = rate * Double(workers)
        let seconds = Double(decisionsPerRound * rounds) / (rate * Double(workers))
        study.plan.durationSeconds = fillSeconds + 1.5 * seconds + 10
        let workload = try study.workloads()[0]
        // As the service has it.
        let scheduler = Scheduler(
            policy: try PolicyCatalog.make(policy, seed: workload.seed),
            lengths: workload.lengths,
            explains: true
        )
        var simulation = ClusterSimulation(
            profiles: study.workers.profiles(of: workers),
            queries: workload.queries,
            scheduler: scheduler,
            configuration: .init(mode: .prefillPriority, stopwatch: threadNanoseconds)
        )
        let full = Instant.zero + .seconds(rounding: fillSeconds)
        while simulation.now < full, simulation.advance() {}
        return Fleet(workers: workers, simulation: simulation)
    }

    private func time(_ fleet: inout Fleet) {
        let before = fleet.simulation.schedulingTime
        let calls = fleet.simulation.timedCalls
        let placed = fleet.simulation.scheduler.placed
        let rounds = fleet.simulation.decisionTimes.count
        while fleet.simulation.scheduler.placed < placed + UInt64(decisionsPerRound), fleet.simulation.advance() {}
        let count = Int(fleet.simulation.scheduler.placed - placed)
        let reading = stopwatchNanoseconds * Double(fleet.simulation.timedCalls - calls)
        let nanoseconds = Double(fleet.simulation.schedulingTime - before) - reading
        fleet.placements += count
        fleet.microseconds.append(nanoseconds / Double(max(count, 1)) / 1000)
        fleet.p99.append(quantile(0.99, of: fleet.simulation.decisionTimes.dropFirst(rounds).map { Double($0) / 1000 }))
        fleet.inFlight = fleet.simulation.scheduler.view.queries.count
    }
}
