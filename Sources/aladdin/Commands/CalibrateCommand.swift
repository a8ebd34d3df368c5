internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Messages
internal import Reports
internal import Scheduling
internal import ServingModel

struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Fits the latency models to measurements, or takes what a live worker's steps have taught.",
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

    @Option(help: "GPUs per worker to take from the files. (default: the only number)")
    var tp: Int?

    @Option(help: "A live worker, by the number or name that `aladdin status` shows, instead of files.")
    var worker: String?

    @Option(help: "Tokens that the KV cache holds. (default: the largest context in the decode file)")
    var kvCapacityTokens: Int?

    @Option(help: "Experts of the model: K/E if each token goes to K of E, none, or search. (default: search)")
    var experts: ExpertsOption = .search

    @Option(help: "Refuse a fit whose cross-validated mean relative error is larger, 0.05 for 5 %.")
    var maxError: Double?

    @Option(help: "Where the profile is written.")
    var out: String

    @Option(help: "Where a page with pictures of the errors is written.")
    var report: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var key: KeyOptions

    func validate() throws {
        if worker != nil {
            let others: [(String, Bool)] = [
                ("--prefill-csv", prefillCsv != nil), ("--decode-csv", decodeCsv != nil), ("--device", device != nil),
                ("--model", model != nil), ("--tp", tp != nil), ("--report", report != nil),
            ]
            if let other = others.first(where: \.1) {
                throw ValidationError("--worker takes the profile of a live worker; \(other.0) does not go with it")
            }
        } else {
            guard prefillCsv != nil else { throw ValidationError("--prefill-csv is missing (or give --worker)") }
            guard decodeCsv != nil else { throw ValidationError("--decode-csv is missing (or give --worker)") }
        }
        if let maxError, !(maxError > 0 && maxError.isFinite) {
            throw ValidationError("--max-error is \(maxError); it must be a number above 0, 0.05 for 5 %")
        }
        if let kvCapacityTokens, !(16...Int(Int32.max)).contains(kvCapacityTokens) {
            throw ValidationError("--kv-capacity-tokens is \(kvCapacityTokens); it must be a whole number from 16")
        }
        if let tp, tp < 1 { throw ValidationError("--tp is \(tp); it must be a whole number from 1") }
    }

    func run() async throws {
        if let worker {
            try await takeProfile(of: worker)
        } else if let prefillCsv, let decodeCsv {
            try calibrate(prefillCsv, decodeCsv)
        }
    }

    private func calibrate(_ prefillCsv: String, _ decodeCsv: String) throws {
        let prefill = try MeasurementFile(path: prefillCsv, phase: .prefill)
        let decode = try MeasurementFile(path: decodeCsv, phase: .decode)
        let wanted = SettingFilter(device: device, model: model, gpus: tp)
        let setting = try MeasurementFile.setting(wanted, in: [prefill, decode])
        let calibration = try Calibration(
            setting: setting,
            prefill: prefill,
            decode: decode,
            experts: experts.experts,
            kvCapacityTokens: kvCapacityTokens
        )
        Terminal.write((json ? try Terminal.json(calibration.object) : calibration.text) + "\n")
        for note in calibration.notes { Terminal.complain(note) }
        let worst = max(
            calibration.prefill.report.crossValidated.mean,
            calibration.decode.report.crossValidated.mean
        )
        try refuse(error: worst, of: "the fit")
        try ProfileFile.write(calibration.profile, to: out)
        if let report { try ProfileFile.write(text: calibration.page.html, to: report, option: "--report") }
    }

    private func takeProfile(of name: String) async throws {
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
        var profile = worker.profile
        if let kvCapacityTokens { profile.kvCache.capacityTokens = kvCapacityTokens }
        let learnt = LearntProfile(worker: worker, profile: profile)
        Terminal.write((json ? try Terminal.json(learnt.object) : learnt.text) + "\n")
        if worker.steps == 0 {
            Terminal.complain("no step of this worker has been seen; the profile is the one it registered with")
        }
        try refuse(error: worker.stepError, of: "the learnt model")
        try ProfileFile.write(profile, to: out)
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
