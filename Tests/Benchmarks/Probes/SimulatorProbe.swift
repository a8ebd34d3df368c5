internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

/// How fast the simulator is: one run of a number of queries on a number of workers under a policy.
struct SimulatorProbe {
    private let arguments: ProbeArguments
    private let policy: String
    private let workers: Int
    private let queries: Int
    private let rate: Double

    init(_ arguments: ProbeArguments) throws {
        self.arguments = arguments
        policy = arguments.text("policy", default: "aladdin")
        workers = Int(try arguments.number("workers", default: 64))
        queries = Int(try arguments.number("queries", default: 100_000))
        rate = try arguments.number("rate", default: 1.8)
    }

    func run() throws {
        var study = try arguments.study()
        study.plan.rate = rate * Double(workers)
        study.plan.durationSeconds = Double(queries) / (rate * Double(workers))
        let workload = try study.workloads()[0]
        let begin = threadSeconds()
        guard let run = try study.run(policy, workers: workers, workload) else { return }
        let seconds = threadSeconds() - begin
        let simulated = run.records.compactMap(\.finish).max()?.seconds ?? 0
        try report([
            "policy": policy, "workers": workers, "queries": workload.queries.count, "seconds": seconds,
            "queries_per_s": Double(workload.queries.count) / seconds, "simulated_s": simulated,
            "speedup": simulated / seconds,
        ])
    }
}
