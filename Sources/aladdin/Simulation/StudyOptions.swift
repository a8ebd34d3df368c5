internal import ArgumentParser
internal import Brokering
internal import Scheduling
internal import ServiceSettings
internal import ServingModel
internal import Simulation

/// How a trace is replayed, whatever is asked about it.
struct StudyOptions: ParsableArguments {
    @Option(
        help:
            "prefill-priority, chunked: how prefills and decodes share a worker's steps; split: apart, on own workers."
    )
    var mode = BatchingMode.prefillPriority.rawValue

    @Option(
        parsing: .unconditional,
        help: "Workers that prefill in split mode; the numbers of workers are then those that decode.",
        transform: SettingForm.workerCount.argument
    )
    var prefillWorkers: Int?

    @Option(help: "What policies know of answers' lengths. predicted: those of 2,000 random queries; oracle: each one.")
    var lengths = "predicted"

    @Option(parsing: .unconditional, help: "Seed of everything random. (default: 1)", transform: StudyOptions.seed)
    var seed: UInt64?

    @Option(help: "Several seeds, a,b,c: a run each, and the mean of their attainments.")
    var seeds: String?

    @Option(
        name: .customLong("warmup-s"),
        parsing: .unconditional,
        help: "Queries that arrive in the first seconds do not count. (default: 0)",
        transform: SettingForm.number(0...1e9, of: "seconds").argument
    )
    var warmUp = 0.0

    @Option(
        name: .customLong("dispatch-delay-ms"),
        parsing: .unconditional,
        help: "Time from a decision to the worker's queue. (default: 0)",
        transform: SettingForm.number(0...1e9, of: "milliseconds").argument
    )
    var dispatchDelay = 0.0

    @Option(
        parsing: .unconditional,
        help: "Workers register with latency models that are wrong by this share: 0.1 for 10 % too slow. (default: 0)",
        transform: SettingForm.number(-0.99...100, of: "").argument
    )
    var modelError = 0.0

    @Option(
        parsing: .unconditional,
        help: "Factor on the lengths that --lengths predicted knows: 0.5 for half of them. (default: 1)",
        transform: SettingForm.number(1e-3...1e3, of: "").argument
    )
    var lengthError = 1.0

    @Flag(help: "Keep the scheduler from learning the workers' speed while they run.")
    var noLearning = false

    @Option(help: "on: refuse queries on arrival that could not be served within their objectives. off: admit all.")
    var admission = "off"

    @Option(
        help: """
            on: workers keep beginnings of prompts in their KV caches and do not compute them again. They are told by the \
            hash_ids of a Mooncake trace, or by session_id: each prompt of a session is then the one before and more.
            """
    )
    var prefixCache = "off"

    @OptionGroup var load: LoadOptions
    @OptionGroup var objective: ObjectiveOptions

    /// The study of a trace on these workers; of a trace with objectives of its own, the queries that can keep them.
    func study(
        of workers: WorkerMix,
        _ file: TraceFile,
        skipsBadLines: Bool
    ) throws -> (study: SimulationStudy, file: TraceFile) {
        let plan = try load.plan()
        try checkFit(of: file.trace, workers, plan)
        let feasible = try Feasibility(file, workers, try objective.objective()).checked(skipsBadLines: skipsBadLines)
        let (trace, keepsPrefixes) = try prefixes(of: feasible.trace)
        var study = SimulationStudy(trace: trace, plan: plan, workers: workers)
        study.keepsPrefixes = keepsPrefixes
        study.objective = try objective.objective()
        study.mode = try batchingMode()
        study.prefillWorkers = try prefillers(workers)
        study.lengths = try knownLengths()
        study.seeds = try allSeeds()
        study.warmUpSeconds = warmUp
        study.dispatchDelay = .seconds(rounding: dispatchDelay / 1000)
        study.modelError = modelError
        study.learnsStepTimes = !noLearning
        study.admission = try admissionSettings()
        study.isClosedLoop = try load.isClosedLoop(feasible.trace, warmUp: warmUp)
        if let duration = plan.durationSeconds, warmUp >= duration {
            throw ValidationError("--warmup-s is \(warmUp.short); it must be below --duration-s, \(duration.short)")
        }
        return (study, feasible)
    }

    /// Queries that no worker can ever hold have no objectives worth checking.
    private func checkFit(of trace: Trace, _ workers: WorkerMix, _ plan: ArrivalPlan) throws {
        var plan = plan
        plan.kvCapacityTokens = workers.parts.map(\.profile.kvCache.capacityTokens).max()
        guard plan.filtered(trace).entries.isEmpty else { return }
        throw ValidationError("\(plan.nothingLeft(of: trace))")
    }

    private func batchingMode() throws -> BatchingMode {
        if mode == "split" { return .prefillPriority }
        guard let mode = BatchingMode(rawValue: mode) else {
            throw ValidationError("--mode is '\(mode)'; it must be prefill-priority, chunked or split")
        }
        return mode
    }

    /// The trace with what its prompts begin with, if that is to count.
    private func prefixes(of trace: Trace) throws -> (trace: Trace, isKept: Bool) {
        switch prefixCache {
        case "off": return (trace, false)
        case "on" where mode == "split":
            throw ValidationError("--prefix-cache on is not for --mode split: its prefill workers keep nothing")
        case "on":
            let trace = trace.withSessionBlocks()
            guard trace.entries.contains(where: { !$0.blocks.isEmpty }) else {
                throw ValidationError("--prefix-cache on: the trace has neither hash_ids nor a session_id")
            }
            return (trace, true)
        default: throw ValidationError("--prefix-cache is '\(prefixCache)'; it must be on or off")
        }
    }

    private func prefillers(_ workers: WorkerMix) throws -> Int {
        guard mode == "split" else {
            guard prefillWorkers == nil else { throw ValidationError("--prefill-workers is for --mode split") }
            return 0
        }
        guard let count = prefillWorkers else {
            throw ValidationError("--mode split needs --prefill-workers: how many only prefill?")
        }
        guard workers.parts.count == 1 else { throw ValidationError("--mode split is for workers of one profile") }
        return count
    }

    private func admissionSettings() throws -> AdmissionSettings? {
        switch admission {
        case "off": return nil
        case "on" where mode == "split":
            throw ValidationError("--admission on is not for --mode split: it predicts workers that do both phases")
        case "on": return AdmissionSettings()
        default: throw ValidationError("--admission is '\(admission)'; it must be on or off")
        }
    }

    private func knownLengths() throws -> SimulationStudy.Lengths {
        switch lengths {
        case "predicted": return .predicted(factor: lengthError)
        case "oracle" where lengthError != 1: throw ValidationError("--length-error is for --lengths predicted")
        case "oracle": return .oracle
        default: throw ValidationError("--lengths is '\(lengths)'; it must be predicted or oracle")
        }
    }

    private func allSeeds() throws -> [UInt64] {
        guard let seeds else { return [seed ?? 1] }
        guard seed == nil else { throw ValidationError("give --seed or --seeds, not both") }
        let numbers = seeds.split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
        guard numbers.count <= 1000, let result = numbers as? [UInt64] else {
            throw ValidationError("--seeds is '\(seeds)'; it must be whole numbers with commas between, such as 1,2,3")
        }
        guard Set(result).count == result.count else {
            throw ValidationError("--seeds is '\(seeds)'; each may be given once: the same seed gives the same run")
        }
        return result
    }

    @Sendable private static func seed(_ text: String) throws -> UInt64 {
        guard let seed = UInt64(text) else { throw ValidationError("it must be a whole number, at least 0") }
        return seed
    }
}
