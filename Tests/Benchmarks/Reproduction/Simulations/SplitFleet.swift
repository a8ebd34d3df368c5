internal import Scheduling
internal import ServingModel
internal import Simulation

/// Split-phase serving of a load: a prefill pool that is large enough, and a decode pool that is to be found.
struct SplitFleet: Sendable {
    /// How busy the prefill workers are: low enough that prompts rarely wait for each other long.
    private static let prefillUtilisation = 0.6

    let setting: LoadSetting
    let profile: LatencyProfile
    let prefillWorkers: Int

    init(_ data: DataFolder, _ setting: LoadSetting) throws {
        self.setting = setting
        let profile = try setting.workerProfile(data)
        self.profile = profile
        var plan = setting.plan
        plan.kvCapacityTokens = profile.kvCache.capacityTokens
        let entries = plan.filtered(try data.trace(setting.trace)).entries
        let seconds = entries.reduce(0) { sum, entry in
            let alone = UnloadedLatency(profile: profile, inputTokens: entry.inputTokens, outputTokens: 1)
            return sum + alone.timeToFirstToken.seconds
        }
        let offered = setting.rate * seconds / Double(max(entries.count, 1))
        prefillWorkers = Int((offered / Self.prefillUtilisation).rounded(.up))
    }

    /// The smallest decode pool.
    func minimum(_ data: DataFolder, _ policy: ComparedPolicy, _ scope: Scope) throws -> MinimumFinding {
        var study = try setting.study(data, .prefillPriority, seeds: scope.seeds)
        study.lengths = policy.lengths
        let search = try MinimumSearch(study, targets: scope.targets, meanField: try setting.meanField(data))
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.tellsLengths = policy.lengths == .oracle
        configuration.split = SplitPhase(profiles: Array(repeating: profile, count: prefillWorkers))
        // Far fewer decode workers than the decodes' own mean-field capacity are hopeless.
        let smallest = max(1, Int(0.8 * decodeMeanField(study)))
        return try search.minimum(from: smallest) { [configuration] workers, workload, allowedMisses in
            let run = ClusterRun(
                profiles: Array(repeating: profile, count: workers),
                policy: policy.name,
                configuration: configuration
            )
            return try run.run(workload, allowedMisses: allowedMisses)?.misses
        }
    }

    /// N_mf of the decodes alone.
    private func decodeMeanField(_ study: SimulationStudy) -> Double {
        var decodesOnly = profile
        decodesOnly.prefill = LatencyProfile.Prefill()
        let sizes = study.plan.filtered(study.trace).entries.map {
            QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens)
        }
        return MeanFieldCapacity(profile: decodesOnly, averageTokenTime: setting.objective.averageTokenTime)
            .workers(rate: setting.rate, queries: sizes)
    }
}
