internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Finds how many GPUs a worker should have, and how many workers a load needs.",
        discussion: """
            Each profile is one way to form a worker. Formulas rule out what cannot work and order the rest; the size \
            is then found by simulating the trace, and the fewest GPUs win; with prices, the least money.
            """
    )

    @Option(help: "Latency profile (JSON) of a worker; repeated, one for each number of GPUs to compare.")
    var profile: [String] = []

    @Option(help: "Placement policy with its settings. (default: \(PolicyCatalog.defaultName))")
    var policy: String?

    @Option(help: "Numbers of workers beyond this are not tried.")
    var maxWorkers = 200

    @Option(parsing: .unconditional, help: "The share of queries whose objectives are to be kept.")
    var attainment = 0.99

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var trace: TraceOptions
    @OptionGroup var price: PriceOptions
    @OptionGroup var options: StudyOptions

    func run() async throws {
        guard !profile.isEmpty else {
            throw ValidationError("--profile is missing: which workers are there to choose from?")
        }
        guard attainment > 0, attainment <= 1 else {
            throw ValidationError("--attainment is \(attainment); it must be above 0 and at most 1, such as 0.99")
        }
        guard (1...100_000).contains(maxWorkers) else {
            throw ValidationError("--max-workers is \(maxWorkers); it must be from 1 to 100000")
        }
        let policy = try Setting.resolve(policy, "policy", default: PolicyCatalog.defaultName)
        do throws(PolicyError) {
            _ = try PolicyCatalog.make(policy, seed: 0)
        } catch {
            throw ValidationError("--policy: \(error)")
        }
        let profiles = try profile.map { (path: $0, profile: try ProfileFile.read($0)) }
        let all = WorkerMix(profiles.map { WorkerMix.Part(profile: $0.profile, count: 1) })
        let (study, file) = try options.study(of: all, trace.file(), skipsBadLines: trace.skipBad)
        if !file.skipped.isEmpty { Terminal.complain("left out \(file.skipped.count) lines of \(file.path)") }
        let prices = try price.prices(of: profiles.count)
        let plan: CapacityPlan
        do throws(ArrivalPlanError) {
            plan = try CapacityPlan(study: study, profiles: profiles, prices: prices, attainment: attainment)
        } catch {
            throw ValidationError("\(error)")
        }
        let answer = try await plan.simulated(policy: policy, maxWorkers: maxWorkers)
        Terminal.write((json ? try Terminal.json(answer.object) : answer.text) + "\n")
        if answer.best == nil { throw ExitCode.failure }
    }
}
