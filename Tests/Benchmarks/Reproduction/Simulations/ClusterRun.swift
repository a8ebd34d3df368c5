internal import Scheduling
internal import ServingModel
internal import Simulation

/// A simulation beyond what a `SimulationStudy` asks: fleets that change, split phases, closed loops.
struct ClusterRun {
    var profiles: [LatencyProfile]
    var policy: String
    var configuration: ClusterSimulation.Configuration

    /// Replays a workload to its end.
    ///
    /// Worker-seconds are those from the warm-up's end to the load's.
    func run(_ workload: StudyWorkload) throws -> SimulationRun {
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
        simulation.run()
        let begin = Instant.zero + .seconds(rounding: workload.warmUpSeconds)
        let end = Instant.zero + .seconds(rounding: workload.seconds)
        let seconds = simulation.fleet.workerSeconds(from: begin, to: end)
        return SimulationRun(
            workload: workload.arrived(simulation.records),
            records: simulation.records,
            workerSeconds: seconds,
            gpuSeconds: seconds * Double(profiles.first?.gpus ?? 1)
        )
    }
}

extension StudyWorkload {
    /// The same with the times at which queries of closed loops really came.
    fileprivate func arrived(_ records: [QueryRecord]) -> StudyWorkload {
        guard queries.contains(where: { $0.predecessor != nil }) else { return self }
        var queries = queries
        for index in queries.indices {
            if let arrival = records[index].arrival { queries[index].arrival = arrival }
        }
        return StudyWorkload(
            seed: seed,
            queries: queries,
            lengths: lengths,
            seconds: seconds,
            warmUpSeconds: 0
        )
    }
}
