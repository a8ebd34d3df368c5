import Batching
import ServingModel
import Simulation
import Testing

@Suite("Split-phase serving")
struct SplitPhaseTests {
    private func configuration(prefillWorkers: Int) -> ClusterSimulation.Configuration {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.split = SplitPhase(profiles: Array(repeating: SmallCluster.profile, count: prefillWorkers))
        return configuration
    }

    @Test(
        "Every query agrees to the nanosecond with counting every token",
        arguments: ["round-robin", "jsq"],
        0..<6
    )
    func agreesWithNaiveTwin(policy: String, seed: Int) throws {
        let workers = (prefill: seed % 3 + 1, decode: seed % 4 + 1)
        let queries = SmallCluster.trace(seed: seed + 70, count: 90, gap: seed.isMultiple(of: 2) ? 60 : 20)
        let records = try SmallCluster.replay(
            queries,
            workers: workers.decode,
            policy: policy,
            checkingEvery: 7,
            configuration(prefillWorkers: workers.prefill)
        )
        var twin = NaiveSplitCluster(
            queries,
            prefill: workers.prefill,
            decode: workers.decode,
            profile: SmallCluster.profile,
            joinsShortestQueue: policy == "jsq"
        )
        #expect(records == twin.replay())
        if seed < 4 { #expect(records.reduce(0) { $0 + $1.preemptions } > 0) }
    }

    @Test("The KV cache takes its time between the first token and the second")
    func transferTime() throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 100, outputTokens: 2)
        let record = try SmallCluster.replay([query], configuration(prefillWorkers: 1))[0]
        // 3 ms + 100 · 0.17 ms; 2 ms + 100 · 327,680 B at 25 GB/s; 5 ms + 0.31 ms + 101 · 0.0123 ms.
        #expect(record.firstToken == Instant(nanoseconds: 20_000_000))
        #expect(record.dispatched == Instant(nanoseconds: 23_310_720))
        #expect(record.finish == Instant(nanoseconds: 29_863_020))
        #expect(record.worker == 0)
    }

    @Test("An answer of one token needs no decode worker")
    func oneToken() throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 100, outputTokens: 1)
        let record = try SmallCluster.replay([query], configuration(prefillWorkers: 2))[0]
        #expect(record.finish == Instant(nanoseconds: 20_000_000) && record.worker == nil && !record.isRefused)
    }

    @Test("A decode worker that fails costs a prefill, not the tokens that are out")
    func decodeWorkerFails() throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 100, outputTokens: 20)
        var failing = configuration(prefillWorkers: 1)
        failing.changes = [FleetChange(time: Instant(nanoseconds: 31_000_000), action: .fail(worker: 0))]
        let record = try SmallCluster.replay([query], workers: 2, failing)[0]
        #expect(record.firstToken == Instant(nanoseconds: 20_000_000))
        #expect(record.attempts == 2 && record.worker == 1)
        // At 31 ms it has two tokens: 3 ms + 102 · 0.17 ms, and 2 ms + 102 · 327,680 B at 25 GB/s.
        #expect(record.dispatched == Instant(nanoseconds: 31_000_000 + 20_340_000 + 3_336_934))
        #expect(record.finish != nil)
    }
}
