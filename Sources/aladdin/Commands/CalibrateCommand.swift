internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Messages
internal import Reports
internal import Scheduling
internal import ServiceSettings
internal import ServingModel

struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Fits the latency models to measurements: from files, or made now on a live worker.",
        discussion: """
            The form of each model (constant, slopes, floor, knee, experts) is the one with the least error on \
            measurements that a fit has not seen.
            """
    )

    @Option(help: "CSV with device,model,tp,batch,input_tokens_total,latency_ms.")
    var prefillCsv: String?

    @Option(help: "CSV with device,model,tp,batch,context_tokens_total,latency_ms.")
    var decodeCsv: String?

    @Option(help: "The device to take from the files. (default: the only one)")
    var device: String?

    @Option(help: "The model to take from the files. (default: the only one)")
    var model: String?

    @Option(
        parsing: .unconditional,
        help: "GPUs per worker to take from the files. (default: the only number)",
        transform: SettingForm.integer(1 ... .max).argument
    )
    var tp: Int?

    @Option(
        help: """
            A live worker, by the number or name that `aladdin status` shows, instead of files: prompts and batches of \
            several sizes are sent to it and timed, for some minutes at most. It should have nothing else to do.
            """
    )
    var worker: String?

    @Flag(help: "With --worker: measure nothing, take what the steps so far have taught the scheduler.")
    var learnt = false

    @Option(
        parsing: .unconditional,
        help: "Tokens that the KV cache holds. (default: the largest context in the decode file)",
        transform: SettingForm.integer(16...Int(Int32.max)).argument
    )
    var kvCapacityTokens: Int?

    @Option(help: "Experts of the model: K/E if each token goes to K of E, none, or search. (default: search)")
    var experts: ExpertsOption = .search

    @Option(
        parsing: .unconditional,
        help: "Refuse a fit whose cross-validated mean relative error is larger, 0.05 for 5 %.",
        transform: SettingForm.number(0 ... .infinity, .positive, of: "").argument
    )
    var maxError: Double?

    @Option(help: "Where the profile is written.")
    var out: String

    @Option(help: "Where a page with pictures of the errors is written.")
    var report: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var key: KeyOptions
    @Option(help: "With --worker: a key for the queries, beside --key for the admin endpoint. (default: none)")
    var frontendKey: String?

    func validate() throws {
        if worker != nil {
            let others: [(String, Bool)] = [
                ("--prefill-csv", prefillCsv != nil), ("--decode-csv", decodeCsv != nil), ("--device", device != nil),
                ("--model", model != nil), ("--tp", tp != nil), ("--report", report != nil && learnt),
            ]
            if let other = others.first(where: \.1) {
                throw ValidationError("--worker takes the profile of a live worker; \(other.0) does not go with it")
            }
        } else {
            guard !learnt else { throw ValidationError("--learnt is for --worker") }
            guard prefillCsv != nil else { throw ValidationError("--prefill-csv is missing (or give --worker)") }
            guard decodeCsv != nil else { throw ValidationError("--decode-csv is missing (or give --worker)") }
        }
    }

    /// What is written.
    private struct Outputs {
        var profile: OutputFile
        var report: OutputFile?
    }

    private func outputs() throws -> Outputs {
        let profile = try OutputFile(out, option: "--out")
        return Outputs(
            profile: profile,
            report: try report.map { try OutputFile($0, option: "--report", besides: profile) }
        )
    }

    func run() async throws {
        let outputs = try outputs()
        if let worker {
            let status = try await liveWorker(worker)
            if learnt { try takeProfile(of: status, outputs) } else { try await measure(status, outputs) }
        } else if let prefillCsv, let decodeCsv {
            let prefill = try MeasurementFile(path: prefillCsv, phase: .prefill)
            let decode = try MeasurementFile(path: decodeCsv, phase: .decode)
            let wanted = SettingFilter(device: device, model: model, gpus: tp)
            let setting = try MeasurementFile.setting(wanted, in: [prefill, decode])
            try calibrate(setting, prefill, decode, outputs)
        }
    }

    private func calibrate(
        _ setting: MeasurementTable.Setting,
        _ prefill: MeasurementFile,
        _ decode: MeasurementFile,
        _ outputs: Outputs,
        of worker: LatencyProfile? = nil
    ) throws {
        let calibration = try Calibration(
            setting: setting,
            prefill: prefill,
            decode: decode,
            experts: experts.experts,
            kvCapacityTokens: kvCapacityTokens,
            worker: worker
        )
        Terminal.write((json ? try Terminal.json(calibration.object) : calibration.text) + "\n")
        for note in calibration.notes { Terminal.complain(note) }
        let worst = max(
            calibration.prefill.report.crossValidated.mean,
            calibration.decode.report.crossValidated.mean
        )
        try refuse(error: worst, of: "the fit")
        try ProfileFile.write(calibration.profile, to: outputs.profile)
        try outputs.report?.write(calibration.page.html)
    }

    /// Times a grid of queries on a worker and fits the models to that.
    private func measure(_ worker: WorkerStatus, _ outputs: Outputs) async throws {
        if worker.queued + worker.waiting + worker.running > 0 {
            Terminal.complain("worker \(worker.name) is busy: what is measured includes its other work")
        }
        let key = try KeyOptions.clientKey(try Setting.resolve(frontendKey, "frontend-key"), for: .frontend)
        let client = AladdinClient(endpoint: try endpoints.frontend(), name: "calibrate", key: key, logger: .silent)
        let grid = LiveGrid(client: client, worker: worker) { done, total, what in
            Terminal.complain("calibrating \(worker.name): \(done) of \(total) parts, \(what)")
        }
        let outcome: Result<(prefill: MeasurementTable, decode: MeasurementTable), any Error> =
            await withTaskGroup { group in
                group.addTask { try? await client.run() }
                defer { group.cancelAll() }
                do { return .success(try await grid.run()) } catch { return .failure(error) }
            }
        let tables: (prefill: MeasurementTable, decode: MeasurementTable)
        do {
            tables = try outcome.get()
        } catch let status as Status {
            Terminal.complain(status.message)
            throw ExitCode(status.code == .invalidArgument ? 2 : 1)
        }
        guard let setting = tables.prefill.settings.first else {
            Terminal.complain("worker \(worker.name) answered nothing that could be timed")
            throw ExitCode.failure
        }
        let origin = "worker \(worker.name)"
        try calibrate(
            setting,
            MeasurementFile(origin, .prefill, tables.prefill),
            MeasurementFile(origin, .decode, tables.decode),
            outputs,
            of: worker.profile
        )
    }

    private func liveWorker(_ name: String) async throws -> WorkerStatus {
        let status: ClusterStatus
        do {
            let key = try key.clientKey(for: .admin)
            status = try await AdminClient(endpoint: try endpoints.admin(), key: key, logger: .silent).status()
        } catch let status as Status {
            Terminal.complain(status.message)
            throw ExitCode(status.code == .invalidArgument ? 2 : 1)
        }
        guard let worker = status.workers.first(where: { "\($0.worker.rawValue)" == name || $0.name == name }) else {
            let known = status.workers.map { "\($0.worker.rawValue) (\($0.name))" }.joined(separator: ", ")
            throw ValidationError(
                "--worker is '\(name)'; " + (known.isEmpty ? "no worker is connected" : "there are \(known)")
            )
        }
        return worker
    }

    private func takeProfile(of worker: WorkerStatus, _ outputs: Outputs) throws {
        var profile = worker.profile
        if let kvCapacityTokens { profile.kvCache.capacityTokens = kvCapacityTokens }
        let learnt = LearntProfile(worker: worker, profile: profile)
        Terminal.write((json ? try Terminal.json(learnt.object) : learnt.text) + "\n")
        if worker.steps == 0 {
            Terminal.complain("no step of this worker has been seen; the profile is the one it registered with")
        }
        try refuse(error: worker.stepError, of: "the learnt model")
        try ProfileFile.write(profile, to: outputs.profile)
    }

    private func refuse(error: Double, of what: String) throws {
        guard let maxError, !(error <= maxError) else { return }
        Terminal.complain(
            "\(what) errs by \(error.percent) on average, more than --max-error allows (\(maxError.percent)); "
                + "\(out) is not written"
        )
        throw ExitCode.failure
    }
}
