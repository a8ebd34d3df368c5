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

    /// Replays a workload, but not to its end if more queries than are allowed have ended late; nil then.
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
            let records = simulation.records
            let misses = workload.counted.count {
                records[$0].finish != nil && !workload.queries[$0].isMet(by: records[$0])
            }
            if misses > allowedMisses { return nil }
        }
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
