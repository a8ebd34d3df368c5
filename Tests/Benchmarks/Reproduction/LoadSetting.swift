internal import Batching
internal import Scheduling
internal import ServingModel
internal import Simulation

/// Tests/Data/settings.json: loads, rates, profiles and objectives that belong together.
struct SettingsFile: Codable, Sendable {
    var settings: [LoadSetting]
    var scaling: [ScalingSetting]
}

/// A load under which policies are compared.
struct LoadSetting: Codable, Sendable {
    var name: String
    var trace: String
    var arrivals: String
    var rate: Double
    var profile: String
    var sloTtftMs: Double
    var sloAtgtMs: Double
    var durationS: Double
    var warmupS: Double
    var maxInputTokens: Int?
    var maxBatchedTokens: Int?
    var kvCapacityTokens: Int?
    var modes: [String]

    var objective: ServiceLevelObjective {
        ServiceLevelObjective(
            timeToFirstToken: .seconds(rounding: sloTtftMs / 1000),
            averageTokenTime: .seconds(rounding: sloAtgtMs / 1000)
        )
    }

    func workerProfile(_ data: DataFolder) throws -> LatencyProfile {
        var result = try data.profile(profile)
        if let kvCapacityTokens { result.kvCache.capacityTokens = kvCapacityTokens }
        if let maxBatchedTokens { result.limits.maximumBatchedTokens = maxBatchedTokens }
        return result
    }

    var plan: ArrivalPlan {
        var plan = ArrivalPlan()
        plan.arrivals = arrivals == "poisson" ? .poisson : .trace
        plan.rate = rate
        plan.durationSeconds = durationS
        plan.maxInputTokens = maxInputTokens
        return plan
    }

    /// The question to the simulator.
    func study(_ data: DataFolder, _ mode: BatchingMode, seeds: [UInt64]) throws -> SimulationStudy {
        let profile = try workerProfile(data)
        var study = SimulationStudy(trace: try data.trace(trace), plan: plan, workers: WorkerMix(profile))
        study.mode = mode
        study.objective = objective
        study.seeds = seeds
        study.warmUpSeconds = warmupS
        return study
    }

    /// The mean-field capacity N_mf of the load, from the lengths of the whole trace times a factor.
    func meanField(_ data: DataFolder, lengths: Double = 1) throws -> Double {
        let profile = try workerProfile(data)
        var plan = plan
        plan.kvCapacityTokens = profile.kvCache.capacityTokens
        let sizes = plan.filtered(try data.trace(trace)).entries.map {
            QuerySize(
                inputTokens: Int(Double($0.inputTokens) * lengths),
                outputTokens: Int(Double($0.outputTokens) * lengths)
            )
        }
        return MeanFieldCapacity(profile: profile, averageTokenTime: objective.averageTokenTime)
            .workers(rate: rate, queries: sizes)
    }

    /// The same question to the command line tool.
    func command(_ mode: String, policies: String, seeds: [UInt64], target: Double) -> String {
        var parts = [
            "aladdin simulate --trace Tests/Data/traces/\(trace) --profile Tests/Data/profiles/\(profile).json",
            "--policy \(policies) --arrivals \(arrivals == "poisson" ? "poisson" : "trace") --rate \(rate.plain)",
            "--duration-s \(durationS.plain) --warmup-s \(warmupS.plain) --mode \(mode)",
            "--slo-ttft-ms \(sloTtftMs.plain) --slo-atgt-ms \(sloAtgtMs.plain)",
        ]
        if let maxInputTokens { parts.append("--max-input-tokens \(maxInputTokens)") }
        parts.append("--find-min-workers --attainment \(target.plain)")
        parts.append("--seeds \(seeds.map(String.init).joined(separator: ","))")
        return parts.joined(separator: " \\\n    ")
    }
}

/// A load that comes and goes, for the study of scaling.
struct ScalingSetting: Codable, Sendable {
    var name: String
    var trace: String
    var intensityBinS: Double
    var durationS: Double
    var rate: Double
    var profile: String
    var sloTtftMs: Double
    var sloAtgtMs: Double
    var warmupS: Double
    var maxInputTokens: Int?
    var startupS: [Double]
}

extension Double {
    /// Without a fraction where there is none.
    var plain: String { self == rounded() ? String(Int(self)) : String(self) }
}
