import Batching
import Scheduling
import ServingModel
import Simulation
import Testing

@Suite("Random clusters")
struct RandomClusterTests {
    /// Modes A and B, and split-phase serving.
    enum Kind: CaseIterable {
        case prefillPriority
        case chunked
        case split
    }

    /// A cluster in which much goes wrong: failures, drains, start-ups, noise, delays.
    private func configuration(_ kind: Kind, seed: Int) -> ClusterSimulation.Configuration {
        var generator = SeededGenerator(seed: UInt64(seed) &* 77)
        var configuration = ClusterSimulation.Configuration(
            mode: kind == .chunked ? .chunked : .prefillPriority,
            dispatchDelay: .milliseconds(Int64.random(in: 0...3, using: &generator)),
            tellsLengths: Bool.random(using: &generator)
        )
        if kind == .split { configuration.split = SplitPhase(profiles: [SmallCluster.profile, SmallCluster.profile]) }
        configuration.stepTimeNoise = StepTimeNoise(sigma: 0.1, seed: UInt64(seed))
        // The last worker stays.
        let first = Instant.zero + .milliseconds(Int64.random(in: 200...500, using: &generator))
        configuration.changes.append(FleetChange(time: first, action: .fail(worker: 0)))
        for worker in 1..<4 {
            let time = Instant.zero + .milliseconds(Int64.random(in: 0...1500, using: &generator))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: configuration.changes.append(FleetChange(time: time, action: .drain(worker: worker)))
            case 1: continue
            default: configuration.changes.append(FleetChange(time: time, action: .fail(worker: worker)))
            }
            let start = FleetChange.Action.start(SmallCluster.profile, startUp: .milliseconds(100))
            configuration.changes.append(FleetChange(time: time + .milliseconds(50), action: start))
        }
        return configuration
    }

    @Test(
        "No policy loses or duplicates a query, and every run is reproduced by its seed",
        arguments: PolicyCatalog.names,
        Kind.allCases
    )
    func losesNothing(policy: String, kind: Kind) throws {
        for seed in 0..<3 {
            let queries = SmallCluster.trace(seed: seed + 500, count: 80, gap: 40)
            let configuration = configuration(kind, seed: seed)
            let records = try SmallCluster.replay(
                queries,
                workers: 5,
                policy: policy,
                seed: UInt64(seed),
                checkingEvery: 5,
                configuration
            )
            for (query, record) in zip(queries, records) {
                #expect(record.arrival == query.arrival)
                #expect((1...configuration.maximumAttempts).contains(record.attempts))
                #expect((record.finish != nil) != record.isRefused, "\(policy) \(kind) \(seed)")
                guard let finish = record.finish, let first = record.firstToken else { continue }
                #expect(first > query.arrival && finish >= first)
                #expect((finish == first) == (query.outputTokens == 1))
            }
            // A policy that packs or holds may have nothing on the workers that fail.
            if policy == "jsq" { #expect(records.contains { $0.attempts > 1 }) }
            var again = try SmallCluster.simulation(
                queries,
                workers: 5,
                policy: policy,
                seed: UInt64(seed),
                configuration
            )
            again.run()
            #expect(again.records == records, "\(policy) \(kind) \(seed)")
        }
    }
}
