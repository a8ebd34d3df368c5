internal import Foundation
internal import Reports
internal import Scheduling
internal import ServingModel
internal import Simulation

/// A day's load in twenty minutes on a service that follows it, for real, and what other ways of scaling would have cost.
///
/// It needs the built product and a machine that does nothing else.
struct AutoscaledDay: Study {
    static let name = "day"
    static let isSerial = true
    private static let target = 0.97
    private static let seconds = 1200.0
    private static let startUpSeconds = 5.0
    /// Queries a second, so that the peak wants about 20 workers.
    private static let rate = 8.5
    private static let most = 40

    private static let live = QuestionKey("up --autoscale, live", policy: "aladdin")
    private static let simulated = QuestionKey("the same, simulated", policy: "aladdin")

    struct Finding: Codable, Sendable {
        var attainment: Double
        var workerSeconds: Double
        var setPoint: String
        var reachesTarget: Bool
        /// Of the live service, by the second.
        var workers: [Int]?
    }

    let data: DataFolder

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let load = try load()
        let fleets = Self.compared.map { scaler in
            Question(QuestionKey(scaler.title, policy: scaler.policy)) {
                let best = try FleetScaling.best(scaler, load, target: Self.target)
                return Finding(
                    attainment: best.attainment,
                    workerSeconds: best.workerSeconds,
                    setPoint: best.setPoint,
                    reachesTarget: best.reachesTarget
                )
            }
        }
        return [
            Question(Self.live) { try live(load) },
            Question(Self.simulated) { try simulated(load) },
        ] + fleets
    }

    private static var compared: [FleetScaling.Scaler] {
        let shares = [0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1, 1.2, 1.3]
        let clairvoyant = FleetScaling.Scaler(
            title: "clairvoyant rate, aladdin",
            policy: "aladdin",
            setPoints: shares
        ) { utilisation, load in
            ClairvoyantScaling(load, utilisation: utilisation)
        }
        // The peak is 3.4 times the mean.
        return [
            FleetScaling.fixed("aladdin", from: 4.4), FleetScaling.fixed("jsq", from: 4.4), FleetScaling.pods("jsq"),
            FleetScaling.forecast("aladdin"), clairvoyant,
        ]
    }

    private func load() throws -> ScalingLoad {
        guard var setting = try data.settings().scaling.first(where: { $0.trace == "servegen_mmid_day.csv" }) else {
            throw UsageError(message: "Tests/Data/settings.json has no day to scale with")
        }
        setting.durationS = Self.seconds
        setting.rate = Self.rate
        setting.warmupS = 0
        var load = try ScalingLoad(data, setting, startUpSeconds: Self.startUpSeconds, seeds: [1])
        load.tellsLengths = true
        return load
    }

    /// The same queries at the same moments, with the set point that the scheduler has unless it is told otherwise.
    private func simulated(_ load: ScalingLoad) throws -> Finding {
        let scaler = ForecastScaling(startUp: load.startUp, limits: ScalingLimits(least: 1, most: Self.most))
        guard let figures = try load.run("aladdin", scaler) else {
            return Finding(attainment: 0, workerSeconds: 0, setPoint: "as it comes", reachesTarget: false)
        }
        return Finding(
            attainment: figures.attainment,
            workerSeconds: figures.workerSeconds,
            setPoint: "as it comes",
            reachesTarget: figures.attainment >= Self.target
        )
    }

    private func live(_ load: ScalingLoad) throws -> Finding {
        let processes = try ServiceProcesses(root: data.root)
        defer { processes.removeFolder() }
        let trace = processes.folder.appendingPathComponent("day.csv").path
        try Self.csv(load.workloads[0].queries).write(toFile: trace, atomically: true, encoding: .utf8)
        let profile = processes.folder.appendingPathComponent("profile.json")
        try JSONEncoder().encode(load.profile).write(to: profile)
        let service = try processes.start(
            ["up", "--autoscale", "--workers", "\(load.firstWorkers)", "--max-workers", "\(Self.most)"]
                + ["--startup-s", Self.startUpSeconds.plain, "--load-s", Self.startUpSeconds.plain]
                + ["--engine", "emulated", "--profile", profile.path, "--batching", "prefill-priority"]
                + ["--admission", "off", "--http", "127.0.0.1:0"]
                + ["--data", processes.folder.appendingPathComponent("journal").path] + processes.endpoints
        )
        defer { processes.stop([service]) }
        try processes.waitForWorkers(load.firstWorkers)
        let recorder = FleetRecorder()
        recorder.start(processes)
        let report = try processes.bench(
            [
                "--trace", trace, "--slo-ttft-ms", "\(load.objective.timeToFirstToken.seconds * 1000)",
                "--slo-atgt-ms", "\(load.objective.averageTokenTime.seconds * 1000)",
            ]
        )
        // As in the simulation, what the last answers take after the last arrival is not counted.
        let workers = Array(recorder.stop().prefix(Int(Self.seconds)))
        return Finding(
            attainment: report.attainment,
            workerSeconds: Double(workers.reduce(0, +)),
            setPoint: "as it comes",
            reachesTarget: report.attainment >= Self.target,
            workers: workers
        )
    }

    private static func csv(_ queries: [SimulatedQuery]) -> String {
        let rows = queries.map { query in
            "\((query.arrival - .zero).seconds),\(query.inputTokens),\(query.outputTokens)\n"
        }
        return "arrival_s,input_tokens,output_tokens\n" + rows.joined()
    }
}

extension AutoscaledDay {
    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("A day in twenty minutes, scaled for real")
        let load = try load()
        chapter.text(
            """
            ServeGen's day, squeezed into \(Int(Self.seconds / 60)) minutes, at \(Self.rate.plain) queries a second in the
            mean (\(load.workloads[0].queries.count) queries), against `aladdin up --autoscale`: workers are processes that
            emulate `\(load.profile.model)` on \(load.profile.gpus) × \(load.profile.device) and take
            \(Self.startUpSeconds.plain) s to start; the journal is on. The first row is that service by the wall clock, with
            the settings that it has unless it is told otherwise; the others are simulations of the same queries. The second
            has the same settings; the rest may each choose the set point that just reaches
            \(Cell.share(Self.target, decimals: 0).text), nobody's luck beforehand. A *fixed* fleet is the same size all day. The
            *clairvoyant* knows at each moment how many queries a second will come.

            What lasts ten minutes of a real day lasts eight seconds here, and the rate jumps by factors of up to three from one
            such span to the next, while a worker takes five seconds to start: there is little to forecast, so that the
            margin is wide.
            """
        )
        let keys = [Self.live, Self.simulated] + Self.compared.map { QuestionKey($0.title, policy: $0.policy) }
        let titles = ["`up --autoscale`, live", "the same, simulated"] + Self.compared.map(\.title)
        let rows = zip(keys, titles).compactMap { key, title -> [Cell]? in
            guard let finding = findings[key] else { return nil }
            return [
                Cell(title),
                finding.reachesTarget ? .number(finding.workerSeconds / 1000) : Cell("misses"),
                finding.attainment > 0 ? .share(finding.attainment).asBound : Cell("below 95 %"),
                Cell(finding.setPoint),
            ]
        }
        chapter.table(["", "thousand worker-seconds", "attainment", "set point"], rows)
        if let workers = findings[Self.live]?.workers { picture(workers, load, &chapter) }
        chapter.provenance(findings, seeds: [1])
        return chapter
    }

    private func picture(_ workers: [Int], _ load: ScalingLoad, _ chapter: inout Chapter) {
        var perfect = ClairvoyantScaling(load, utilisation: 1)
        let needed = workers.indices.map { second -> Series.Point in
            let now = Instant.zero + .seconds(rounding: Double(second))
            return Series.Point(Double(second), Double(perfect.desiredWorkers(FleetObservation(), at: now).workers))
        }
        let paid = workers.enumerated().map { Series.Point(Double($0), Double($1)) }
        let plot = Plot(
            "Workers over a day in twenty minutes",
            x: Axis("time", .seconds),
            y: Axis("workers", .count),
            series: [
                .steps("paid for", paid, emphasised: true), .steps("N_mf of the true rate", needed),
            ]
        )
        chapter.picture("autoscaled-day", plot, caption: "`aladdin up --autoscale`, live, start-up time included.")
    }
}
