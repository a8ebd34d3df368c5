internal import Scheduling
internal import ServingModel
internal import Simulation

/// A simulation beyond what a `SimulationStudy` asks: fleets that change, split phases, closed loops.
struct ClusterRun {
    var profiles: [LatencyProfile]
    var policy: String
    var configuration: ClusterSimulation.Configuration

    /// How often a run is asked whether it is lost, over the length of its arrivals.
    private static let verdicts = 32.0

    /// Replays a workload to its end.
    ///
    /// Worker-seconds are those from the warm-up's end to the load's.
    func run(_ workload: StudyWorkload) throws -> SimulationRun {
        guard let run = try run(workload, allowedMisses: .max) else { preconditionFailure("nothing stops this run") }
        return run
    }

    /// Replays a workload, but not to its end if more queries than are allowed have missed their objectives; nil then.
    func run(_ workload: StudyWorkload, allowedMisses: Int) throws -> SimulationRun? {
        let scheduler = Scheduler(
            policy: try PolicyCatalog.make(policy, seed: workload.seed),
            lengths: workload.lengths
        )
        var simulation = ClusterSimulation(
            profiles: profiles,
            queries: workload.queries,
            scheduler: scheduler,
            configuration: configuration
        )
        let distance = Interval.seconds(rounding: max(workload.seconds, 1) / Self.verdicts)
        var nextVerdict = Instant.zero + distance
        while simulation.advance() {
            guard allowedMisses < .max, simulation.now >= nextVerdict else { continue }
            nextVerdict = simulation.now + distance
            if Self.misses(in: simulation, workload) > allowedMisses { return nil }
        }
        let begin = Instant.zero + .seconds(rounding: workload.warmUpSeconds)
        let end = Instant.zero + .seconds(rounding: workload.seconds)
        let seconds = simulation.fleet.workerSeconds(from: begin, to: end)
        return SimulationRun(
            workload: workload.arrived(simulation.records),
            records: simulation.records,
            workerSeconds: seconds,
            gpuSeconds: seconds * Double(profiles.first?.gpus ?? 1),
            cachedPromptShare: simulation.cachedPromptShare
        )
    }

    /// Queries that count and are lost by now: ended late, or still without a first token when that was due.
    private static func misses(in simulation: ClusterSimulation, _ workload: StudyWorkload) -> Int {
        let records = simulation.records
        return workload.counted.count { index in
            var query = workload.queries[index]
            let record = records[index]
            // In a conversation only the run knows when it came.
            if let arrival = record.arrival { query.arrival = arrival }
            guard record.finish == nil else { return !query.isMet(by: record) }
            guard let arrival = record.arrival, record.firstToken == nil else { return false }
            return simulation.now - arrival > query.objective.timeToFirstToken
        }
    }
}
