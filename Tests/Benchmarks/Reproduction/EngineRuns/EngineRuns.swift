internal import Batching
internal import Scheduling
internal import ServingModel
internal import Simulation

/// The simulator's worker against engines that were measured: the foundation that everything after it stands on.
struct EngineRuns: Study {
    static let name = "engine-runs"
    static let distServe = "distserve_opt13b_a100_vllm.csv"
    static let devices = ["rtx4090", "rtxpro6000"]
    private static let deviceNames = ["rtx4090": "RTX4090", "rtxpro6000": "RTXPRO6000"]
    /// Queries that vLLM was started to run at once.
    private static let sequences = ["rtx4090": 256, "rtxpro6000": 128]
    private static let model = "llama3.1-8b"

    let data: DataFolder

    func questions(_ scope: Scope) throws -> [Question<EngineRunFinding>] {
        let data = data
        let measured = try MeasuredRun.read(data, Self.distServe)
        let runs = measured.map { run in
            Question(QuestionKey(run.name)) {
                let profile = try Self.publishedProfile(data)
                return EngineRunFinding(run, profile, try EngineSimulation(run, profile, .prefillPriority))
            }
        }
        let overloads = try Self.devices.map { device in
            let run = try Self.overload(data, device)
            return Question(QuestionKey(device)) {
                let (profile, fit) = try Self.fittedProfile(data, device, run)
                return EngineRunFinding(run, profile, try EngineSimulation(run, profile, .chunked), fit: fit)
            }
        }
        return runs + corrections(measured) + overloads
    }

    private static func overload(_ data: DataFolder, _ device: String) throws -> MeasuredRun {
        guard let run = try MeasuredRun.read(data, "vllm_\(device)_llama3.1-8b_tp1.csv").first else {
            throw UsageError(message: "the run on \(device) is empty")
        }
        return run
    }

    /// vLLM's OPT-13B on an A100 with the coefficients that DistServe's authors published.
    ///
    /// Those for batches below 95: the KV cache holds about 60 of these queries, so that no batch gets there.
    static func publishedProfile(_ data: DataFolder) throws -> LatencyProfile {
        let rows = try data.rows("Tests/Data/profiles/distserve_published_coefficients.csv")
        func coefficients(_ phase: String) throws -> (constant: Double, perToken: Double, third: Double) {
            let row = rows.first {
                $0["engine"] == "vllm" && $0["model"] == "opt-13b" && $0["tp"] == "1" && $0["phase"] == phase
            }
            guard let constant = row?["const_ms"].flatMap(Double.init),
                let perToken = row?["per_token_ms"].flatMap(Double.init),
                let third = row?["third_coef"].flatMap(Double.init)
            else { throw UsageError(message: "the published coefficients have no row for vllm, opt-13b, \(phase)") }
            return (constant, perToken, third)
        }
        var profile = try data.profile("p13")
        let prefill = try coefficients("prefill")
        profile.prefill = LatencyProfile.Prefill()
        profile.prefill.c1Milliseconds = prefill.constant
        profile.prefill.k1Milliseconds = prefill.perToken
        profile.prefill.k1qMilliseconds = prefill.third
        let decode = try coefficients("decoding_smallbs")
        profile.decode = LatencyProfile.Decode()
        profile.decode.c3Milliseconds = decode.constant
        profile.decode.k2Milliseconds = decode.perToken
        profile.decode.c2Milliseconds = decode.third
        // What vLLM of that time took for a model with 2048 positions.
        profile.limits.maximumBatchedTokens = 2048
        return profile
    }

    /// A profile fitted to the kernel times of the device, with the memory that the run shows.
    ///
    /// - Returns: the profile, and how good its two fits are.
    private static func fittedProfile(
        _ data: DataFolder,
        _ device: String,
        _ run: MeasuredRun
    ) throws -> (LatencyProfile, [String]) {
        let setting = MeasurementTable.Setting(device: deviceNames[device] ?? device, model: model, gpus: 1)
        let prompts = try data.measurements("llmservingsim_prefill", .prefill).prefills(of: setting)
        let prefill = try PrefillFit(prompts)
        let steps = try data.measurements("llmservingsim_decode", .decode).decodes(of: setting)
        let decode = try DecodeFit(steps, experts: .none)
        var profile = LatencyProfile(
            model: model,
            device: setting.device,
            prefill: prefill.prefill,
            decode: decode.decode
        )
        profile.limits.maximumSequences = sequences[device] ?? 256
        profile.limits.chunkTokens = 2048
        // vLLM of today keeps no blocks free.
        profile.kvCache.watermark = 0
        // The smaller device's cache was full for most of the run; the other's never.
        let shown = (Int(run.largestContext) + 15) / 16 * 16
        profile.kvCache.capacityTokens = device == "rtx4090" ? shown : try data.profile("p8").kvCache.capacityTokens
        try profile.validate()
        return (profile, [describe("prefill", prefill.report), describe("decode", decode.report)])
    }

    private static func describe(_ phase: String, _ report: FitReport) -> String {
        let mean = Cell.share(report.crossValidated.mean).text
        return "\(phase) \(report.form), \(mean) mean error in cross-validation"
    }
}
