import Batching
import Scheduling
import ServingModel
import Simulation
import Testing

@Suite("Scaling a simulated fleet")
struct ScalingTests {
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    private func configuration(_ policy: any ScalingPolicy, startUp: Int64 = 2) -> ClusterSimulation.Configuration {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.scaling = SimulatedScaling(policy: policy, startUpTime: .seconds(startUp))
        return configuration
    }

    @Test("Workers are started as wished, and the emptiest is drained")
    func followsWishes() throws {
        let wishes = ScriptedScaling(wishes: [3, 3, 3, 2, 2, 1])
        let queries = (0..<400).map {
            SimulatedQuery(arrival: .zero + .milliseconds(Int64($0) * 25), inputTokens: 10, outputTokens: 20)
        }
        var simulation = try SmallCluster.simulation(queries, policy: "jsq", configuration(wishes))
        while simulation.advance() { simulation.checkInvariants() }
        #expect(simulation.records.allSatisfy { $0.finish != nil })
        let steps = simulation.fleet.steps.filter { $0.draining == 0 }
        #expect(steps.map(\.active).prefix(5) == [1, 1, 3, 2, 1])
        #expect(steps[1].time == at(1) && steps[1].starting == 2)
        #expect(steps[2].time == at(3) && steps[2].starting == 0)
        #expect(simulation.workers.count(where: { $0.state == .active }) == 1)
    }

    @Test("A worker that has not started up is cancelled before a serving one is drained")
    func cancelsStartingFirst() throws {
        let queries = [0, 9].map { SimulatedQuery(arrival: at($0), inputTokens: 10, outputTokens: 20) }
        var simulation = try SmallCluster.simulation(
            queries,
            workers: 2,
            configuration(ScriptedScaling(wishes: [4, 3, 2]), startUp: 60)
        )
        while simulation.advance() { simulation.checkInvariants() }
        #expect(simulation.fleet.steps.map(\.starting) == [0, 2, 1, 0])
        #expect(simulation.fleet.steps.allSatisfy { $0.active == 2 && $0.draining == 0 })
        #expect(simulation.fleet.workerSeconds(to: at(10)) == 2 * 10 + 2 + 1)
    }

    @Test("A fleet may begin without workers and be started by its policy")
    func beginsEmpty() throws {
        var scaling = configuration(StaticScaling(workers: 2))
        scaling.scaling?.profile = SmallCluster.profile
        let queries = SmallCluster.trace(seed: 8, count: 30)
        let records = try SmallCluster.replay(queries, workers: 0, scaling)
        #expect(records.allSatisfy { $0.finish != nil && $0.dispatched ?? .zero >= at(3) })
    }

    @Test("A policy that never wishes for a worker does not keep the simulation from ending")
    func ends() throws {
        var scaling = configuration(StaticScaling(workers: 0))
        scaling.scaling?.profile = SmallCluster.profile
        let records = try SmallCluster.replay(SmallCluster.trace(seed: 8, count: 3), workers: 0, scaling)
        #expect(records.allSatisfy { $0.finish == nil && !$0.isRefused })
    }

    @Test("What a policy is shown adds up to what happened")
    func observations() throws {
        let recorder = ScalingRecorder()
        let queries = SmallCluster.trace(seed: 21, count: 200)
        var simulation = try SmallCluster.simulation(
            queries,
            workers: 2,
            policy: "jsq",
            configuration(RecordingScaling(workers: 3, recorder: recorder))
        )
        simulation.run()
        let seen = recorder.observations
        let end = at(Int64(seen.count))
        let early = zip(queries, simulation.records).filter { $0.0.arrival <= end }
        #expect(seen.reduce(0) { $0 + $1.arrivedQueries } == early.count)
        #expect(seen.reduce(0) { $0 + $1.arrivedInputTokens } == early.reduce(0) { $0 + $1.0.inputTokens })
        let finished = zip(queries, simulation.records).filter { ($0.1.finish ?? .distantFuture) <= end }
        #expect(seen.reduce(0) { $0 + $1.finishedQueries } == finished.count)
        #expect(seen.reduce(0) { $0 + $1.finishedOutputTokens } == finished.reduce(0) { $0 + $1.0.outputTokens })
        #expect(seen.map(\.activeWorkers).prefix(4) == [2, 2, 3, 3])
        #expect(seen.flatMap(\.startUpTimes) == [.seconds(2)])
        #expect(seen.allSatisfy { (0...1).contains($0.kvUse) && $0.offeredWork >= 0 && $0.workersPerWork > 1 })
        #expect(seen.contains { $0.waitingQueries > 0 && $0.waitingWork > 0 })
        let tokenTimes = seen.compactMap(\.meanTokenSeconds)
        #expect(!tokenTimes.isEmpty && tokenTimes.allSatisfy { $0 > 0.005 && $0 < 0.2 })
    }

    /// Wishes as written, then the last for ever.
    private struct ScriptedScaling: ScalingPolicy {
        var wishes: [Int]

        mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
            ScalingWish(workers: wishes.count > 1 ? wishes.removeFirst() : wishes[0], reason: .fixed)
        }
    }

    private final class ScalingRecorder: @unchecked Sendable {
        var observations: [FleetObservation] = []
    }

    private struct RecordingScaling: ScalingPolicy {
        var workers: Int
        var recorder: ScalingRecorder

        mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
            recorder.observations.append(observation)
            return ScalingWish(workers: workers, reason: .fixed)
        }
    }
}
