import Batching
import ServingModel
import Simulation
import Testing

@Suite("Fleet changes")
struct FleetChangeTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    private func configuration(_ changes: [FleetChange]) -> ClusterSimulation.Configuration {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.changes = changes
        return configuration
    }

    @Test("A worker serves when its start-up is over")
    func startUp() throws {
        let queries = [SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 1)]
        let start = FleetChange(time: at(10), action: .start(SmallCluster.profile, startUp: .milliseconds(40)))
        var simulation = try SmallCluster.simulation(queries, workers: 0, configuration([start]))
        while simulation.advance() { simulation.checkInvariants() }
        #expect(simulation.records[0].dispatched == at(50))
        #expect(simulation.fleet.steps.map(\.time) == [.zero, at(10), at(50)])
        #expect(simulation.fleet.steps.map(\.starting) == [0, 1, 0])
        #expect(simulation.fleet.steps.map(\.active) == [0, 0, 1])
        #expect(simulation.fleet.workerSeconds(to: at(100)) == 0.09)
        #expect(simulation.fleet.workerSeconds(from: at(20), to: at(60)) == 0.04)
    }

    @Test("A draining worker finishes what it has, takes nothing new, and leaves")
    func draining() throws {
        let queries = [0, 0, 30, 30].map { SimulatedQuery(arrival: at($0), inputTokens: 10, outputTokens: 30) }
        let drain = FleetChange(time: at(20), action: .drain(worker: 0))
        var simulation = try SmallCluster.simulation(queries, workers: 2, configuration([drain]))
        while simulation.advance() { simulation.checkInvariants() }
        #expect(simulation.records.map(\.worker) == [0, 1, 1, 1])
        #expect(simulation.workers[0].state == .gone)
        #expect(simulation.fleet.steps.map(\.draining) == [0, 1, 0])
        #expect(simulation.fleet.steps.last?.time == simulation.records[0].finish)
    }

    @Test("A worker that fails takes its queries' memory along, not their tokens")
    func failure() throws {
        let queries = [SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 4)]
        let undisturbed = try SmallCluster.replay(queries, workers: 2, configuration([]))[0]
        // Tokens at 4.7 ms and 10.1453 ms; the step under way is lost.
        let fail = FleetChange(time: at(12), action: .fail(worker: 0))
        let record = try SmallCluster.replay(queries, workers: 2, configuration([fail]))[0]
        #expect(record.attempts == 2 && record.worker == 1 && record.dispatched == at(12))
        #expect(record.firstToken == undisturbed.firstToken)
        // A prefill of 12 tokens gives the third, a decode of 13 the fourth.
        #expect(record.finish == Instant(nanoseconds: 12_000_000 + 5_040_000 + 5_469_900))
    }

    @Test("A query is given up when too many workers failed with it")
    func givesUp() throws {
        let queries = [SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 200)]
        let changes = (0..<3).map { FleetChange(time: at(50 * Int64($0 + 1)), action: .fail(worker: $0)) }
        let record = try SmallCluster.replay(queries, workers: 4, policy: "jsq", configuration(changes))[0]
        #expect(record.isRefused && record.finish == nil && record.worker == nil && record.attempts == 3)
    }

    @Test("Queries on their way to a worker that fails are tried elsewhere, too")
    func failureDuringDispatch() throws {
        let queries = [SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 1)]
        var configuration = configuration([FleetChange(time: at(2), action: .fail(worker: 0))])
        configuration.dispatchDelay = .milliseconds(5)
        let record = try SmallCluster.replay(queries, workers: 2, configuration)[0]
        #expect(record.worker == 1 && record.dispatched == at(2))
        #expect(record.firstToken == Instant(nanoseconds: 11_700_000))
    }

    @Test("Without a worker queries wait for the next")
    func noWorkerLeft() throws {
        let queries = SmallCluster.trace(seed: 3, count: 20)
        let changes = [
            FleetChange(time: at(100), action: .fail(worker: 0)),
            FleetChange(time: at(150), action: .start(SmallCluster.profile, startUp: .milliseconds(500))),
        ]
        let records = try SmallCluster.replay(queries, configuration(changes))
        #expect(records.allSatisfy { $0.finish != nil })
        #expect(records.contains { $0.attempts == 2 && $0.worker == 1 })
    }
}
