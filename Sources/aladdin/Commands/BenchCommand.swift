internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import ServiceLifecycle
internal import ServiceSettings
internal import ServingModel
internal import Simulation

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Drives a live service with a trace and reports TTFT, ATGT, attainment and goodput."
    )

    @Option(help: "CSV with arrival_s,input_tokens,output_tokens; - is standard input.")
    var trace: String

    @Option(
        parsing: .unconditional,
        help: "How many times as fast as in the trace queries arrive.",
        transform: SettingForm.factor.argument
    )
    var rateScale: Double?

    @Option(
        parsing: .unconditional,
        help: "Mean queries per second; instead of --rate-scale.",
        transform: SettingForm.rate.argument
    )
    var rate: Double?

    @Option(
        parsing: .unconditional,
        help: "How long queries are sent, in seconds; the trace starts again if it is shorter. (default: once through)",
        transform: SettingForm.seconds.argument
    )
    var durationS: Double?

    @Option(help: "The model to ask. (default: the only one served)")
    var model: String = ""

    @Option(
        parsing: .unconditional,
        help: "Leave out queries with longer prompts.",
        transform: SettingForm.integer(1 ... .max).argument
    )
    var maxInputTokens: Int?

    @Option(
        parsing: .unconditional,
        help: "Cut answers to this many tokens.",
        transform: SettingForm.integer(1 ... .max).argument
    )
    var maxOutputTokens: Int?

    @Option(
        help:
            "Drive the gateway at this URL instead of ZeroMQ; its API key, if it wants one, is taken from ALADDIN_API_KEY."
    )
    var http: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var objective: ObjectiveOptions
    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var shardRule: ShardRuleOptions
    @OptionGroup var key: KeyOptions

    func validate() throws {
        guard http == nil || endpoints.endpoints.frontendEndpoint == nil else {
            throw ValidationError("give --http or --frontend-endpoint, not both: which way is the service driven?")
        }
        guard rate == nil || rateScale == nil else { throw ValidationError("give --rate or --rate-scale, not both") }
    }

    func run() async throws {
        let workload = try workload()
        let objective = try objective.objective()
        if let http {
            guard let service = HTTPQueryService(url: http, apiKey: Setting.text("api-key")) else {
                throw ValidationError("--http is '\(http)'; it must be http://HOST:PORT")
            }
            return try print(await BenchRun(service: service, model: model, objective: objective).drive(workload))
        }
        let client = try endpoints.client(
            "aladdin bench",
            key: try key.clientKey(for: .frontend),
            rule: shardRule,
            logger: .silent
        )
        let report = await withTaskGroup { group in
            group.addTask { try? await client.run() }
            let bench = BenchRun(service: client, model: model, objective: objective)
            let report = await bench.drive(workload)
            group.cancelAll()
            return report
        }
        try print(report)
    }

    private func print(_ report: BenchReport) throws {
        Terminal.write((json ? try Terminal.json(report.object) : report.text) + "\n")
        if report.completed == 0 { throw ExitCode.failure }
    }

    private func workload() throws -> Trace {
        let input = try InputText(trace, as: "trace")
        var workload: Trace
        do {
            workload = try TraceReading(text: input.text).trace
        } catch {
            throw ValidationError("trace \(input.name), \(error)")
        }
        if let maxInputTokens { workload.entries.removeAll { $0.inputTokens > maxInputTokens } }
        if let maxOutputTokens {
            for index in workload.entries.indices {
                workload.entries[index].outputTokens = min(workload.entries[index].outputTokens, maxOutputTokens)
            }
        }
        guard !workload.entries.isEmpty else { throw ValidationError("no query is left after the filters") }
        let factor = rateScale ?? rate.map { $0 / workload.rate } ?? 1
        guard factor.isFinite, factor > 0 else {
            throw ValidationError("--rate: the trace has no rate of its own, as all its queries arrive at once")
        }
        workload = workload.scaled(rateBy: factor)
        guard let durationS else { return workload }
        return workload.lasting(.seconds(rounding: durationS))
    }
}
