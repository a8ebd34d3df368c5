internal import Scheduling
internal import ServingModel
internal import Simulation

/// What the planning formulas say against what simulation finds: how many workers, and how many GPUs each.
struct PlanChecks: Study {
    static let name = "plan"
    private static let setting = "S70"

    /// A way to form workers: what the formulas expect of it, and what it needs in simulation.
    struct Finding: Codable, Sendable {
        var gpus: Int
        var meanField: Double
        var formula: Int?
        var simulated: Int?
    }

    let data: DataFolder

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let data = data
        return try Self.profiles(data).map { profile in
            Question(QuestionKey("\(profile.gpus) GPUs")) {
                let setting = try data.setting(Self.setting)
                let study = try {
                    var study = try setting.study(data, .prefillPriority, seeds: scope.seeds)
                    study.workers = WorkerMix(profile)
                    return study
                }()
                let sizes = study.plan.filtered(study.trace).entries.map {
                    QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens)
                }
                let capacity = MeanFieldCapacity(
                    profile: profile,
                    averageTokenTime: setting.objective.averageTokenTime
                )
                let meanField = capacity.workers(rate: setting.rate, queries: sizes)
                // Held within the memory, too, which N_mf knows nothing of.
                let load = LoadSummary(rate: setting.rate, queries: sizes)
                let planned = WorkerConfiguration(load: load, objective: setting.objective)
                    .meanFieldChoice(among: [profile]).candidates[0].workers
                let search = try MinimumSearch(study, targets: [0.99], meanField: min(meanField, 200))
                return Finding(
                    gpus: profile.gpus,
                    meanField: meanField,
                    formula: planned.isFinite
                        ? Int((planned / MeanFieldCapacity.steadyUtilisation).rounded(.up)) : nil,
                    simulated: try search.minimum("aladdin").workers[0]
                )
            }
        }
    }

    /// Llama-2-70B on 2, 4 and 8 A100, fitted to Splitwise's measurements; memory after weights of 140 GB.
    private static func profiles(_ data: DataFolder) throws -> [LatencyProfile] {
        let prompts = try data.measurements("splitwise_prefill", .prefill)
        let steps = try data.measurements("splitwise_decode", .decode)
        return try [2, 4, 8].compactMap { gpus in
            let setting = MeasurementTable.Setting(device: "A100-80GB", model: "llama2-70b", gpus: gpus)
            guard prompts.settings.contains(setting), steps.settings.contains(setting) else { return nil }
            var profile = LatencyProfile(
                model: setting.model,
                device: setting.device,
                gpus: gpus,
                prefill: try PrefillFit(prompts.prefills(of: setting)).prefill,
                decode: try DecodeFit(steps.decodes(of: setting), experts: .none).decode
            )
            let bytes = Double(gpus) * 80e9 * 0.9 - 140e9
            profile.kvCache.capacityTokens = Int(bytes / 327_680) / 16 * 16
            guard profile.kvCache.capacityTokens > 4096 else { return nil }
            try profile.validate()
            return profile
        }
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Plans against simulation")
        chapter.text(
            """
            `aladdin plan` answers from formulas first: N_mf, more where memory binds, over 0.95 workers, and as many GPUs a worker as need the fewest GPUs
            together. Here every choice is also tried out: S70's load on Llama-2-70B workers of 2, 4 and 8 A100, the smallest
            fleet for 99 % under `aladdin`. The profiles are fitted to Splitwise's measurements.
            """
        )
        let found = [2, 4, 8].compactMap { findings[QuestionKey("\($0) GPUs")] }
        let rows = found.map { finding in
            [
                Cell("\(finding.gpus)"), .number(finding.meanField), .count(finding.formula),
                .count(finding.formula.map { $0 * finding.gpus }), .count(finding.simulated),
                .count(finding.simulated.map { $0 * finding.gpus }),
            ]
        }
        chapter.table(
            ["GPUs a worker", "N_mf", "workers by formula", "GPUs", "workers by simulation", "GPUs"],
            rows,
            best: .least
        )
        chapter.provenance(findings)
        return chapter
    }
}
