internal import Scheduling
internal import ServingModel
internal import Simulation

/// A load of settings.json's `scaling`, and how it is run under a scaler.
struct ScalingLoad: Sendable {
    let profile: LatencyProfile
    let objective: ServiceLevelObjective
    let startUp: Interval
    /// N_mf of the mean rate.
    let meanField: Double
    /// r* of the paper's rule, for its scaler.
    let ratePerWorker: Double
    let workloads: [StudyWorkload]
    /// Whether the scheduler is told each answer's length, as `aladdin bench` does.
    var tellsLengths = false
    /// Workers that the fleet begins with; the warm-up is not counted.
    var firstWorkers: Int { Int((1.3 * meanField).rounded(.up)) }

    init(_ data: DataFolder, _ setting: ScalingSetting, startUpSeconds: Double, seeds: [UInt64]) throws {
        profile = try data.profile(setting.profile)
        objective = ServiceLevelObjective(
            timeToFirstToken: .seconds(rounding: setting.sloTtftMs / 1000),
            averageTokenTime: .seconds(rounding: setting.sloAtgtMs / 1000)
        )
        startUp = .seconds(rounding: startUpSeconds)
        var plan = ArrivalPlan()
        plan.arrivals = .intensity(binSeconds: setting.intensityBinS)
        plan.rate = setting.rate
        plan.durationSeconds = setting.durationS
        plan.maxInputTokens = setting.maxInputTokens
        let trace = try data.trace(setting.trace)
        var study = SimulationStudy(trace: trace, plan: plan, workers: WorkerMix(profile))
        study.objective = objective
        study.seeds = seeds
        study.warmUpSeconds = setting.warmupS
        workloads = try study.workloads()
        let sizes = plan.filtered(trace).entries.map {
            QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens)
        }
        meanField = MeanFieldCapacity(profile: profile, averageTokenTime: objective.averageTokenTime)
            .workers(rate: setting.rate, queries: sizes)
        let configuration = WorkerConfiguration(
            load: LoadSummary(rate: setting.rate, queries: sizes),
            objective: objective
        )
        ratePerWorker = configuration.paperChoice(among: [profile]).candidates[0].ratePerWorker
    }

    /// - Parameter hopeless: the share of late queries at which the rest is not worth waiting for.
    /// - Returns: nil where there were so many.
    func run(_ policy: String, _ scaler: any ScalingPolicy, givesUpAt hopeless: Double = 0.05) throws -> RunFigures? {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.tellsLengths = tellsLengths
        configuration.scaling = SimulatedScaling(
            policy: scaler,
            startUpTime: startUp,
            objective: objective,
            ratePerWorker: ratePerWorker
        )
        let run = ClusterRun(
            profiles: Array(repeating: profile, count: firstWorkers),
            policy: policy,
            configuration: configuration
        )
        var runs: [SimulationRun] = []
        for workload in workloads {
            let allowed = Int(Double(workload.counted.count) * hopeless)
            guard let done = try run.run(workload, allowedMisses: allowed) else { return nil }
            runs.append(done)
        }
        return RunFigures(runs, workers: firstWorkers)
    }
}
