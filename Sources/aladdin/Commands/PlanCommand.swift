internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServiceSettings
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

    @Option(
        parsing: .unconditional,
        help: "Numbers of workers beyond this are not tried. (default: 200)",
        transform: SettingForm.workerCount.argument
    )
    var maxWorkers = 200

    @Option(
        parsing: .unconditional,
        help: "The share of queries whose objectives are to be kept. (default: 0.99)",
        transform: SettingForm.share.argument
    )
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
        let policy = policy ?? PolicyCatalog.defaultName
        do throws(PolicyError) {
            _ = try PolicyCatalog.make(policy, seed: 0)
        } catch {
            throw ValidationError("--policy: \(error)")
        }
        let profiles = try profile.map { (path: $0, profile: try ProfileFile.read($0)) }
        Self.warn(of: profiles)
        let all = WorkerMix(profiles.map { WorkerMix.Part(profile: $0.profile, count: 1) })
        let (study, file) = try options.study(of: all, trace.file(), skipsBadLines: trace.skipBad)
        if !file.skipped.isEmpty {
            Terminal.complain("left out \(file.skipped.count.counting("line")) of \(file.path)")
        }
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

    /// Profiles of different models may be meant, but seldom are: one model serves no other's queries.
    private static func warn(of profiles: [(path: String, profile: LatencyProfile)]) {
        var models: [String] = []
        for profile in profiles where !models.contains(profile.profile.model) { models.append(profile.profile.model) }
        guard models.count > 1 else { return }
        Terminal.complain(
            "warning: the profiles are of different models, which are compared as if they were one: "
                + models.joined(separator: ", ")
        )
    }
}
