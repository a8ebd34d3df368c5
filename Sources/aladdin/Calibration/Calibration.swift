internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServingModel

/// The two latency models of one setting, fitted, and the profile that they make.
struct Calibration {
    let setting: MeasurementTable.Setting
    let prefill: PrefillFit
    let decode: DecodeFit
    let profile: LatencyProfile
    /// What the user should know and cannot see from the numbers.
    let notes: [String]

    /// - Parameter worker: what the measured worker registered with: its memory and limits are known, and not measured.
    /// - Throws: `ValidationError` that names the file with too few measurements.
    init(
        setting: MeasurementTable.Setting,
        prefill prefillFile: MeasurementFile,
        decode decodeFile: MeasurementFile,
        experts: DecodeFit.Experts,
        kvCapacityTokens: Int?,
        worker: LatencyProfile? = nil
    ) throws {
        self.setting = setting
        let decodes = decodeFile.table.decodes(of: setting)
        do {
            prefill = try PrefillFit(prefillFile.table.prefills(of: setting))
        } catch {
            throw ValidationError("\(prefillFile.path): \(error)")
        }
        do {
            decode = try DecodeFit(decodes, experts: experts)
        } catch {
            throw ValidationError("\(decodeFile.path): \(error)")
        }
        var profile = LatencyProfile(
            model: setting.model,
            device: setting.device,
            gpus: setting.gpus,
            prefill: prefill.prefill,
            decode: decode.decode
        )
        if let worker {
            profile.kvCache = worker.kvCache
            profile.limits = worker.limits
        }
        var notes: [String] = []
        let largestContext = decodes.map(\.contextTokens).max() ?? 0
        if let kvCapacityTokens {
            profile.kvCache.capacityTokens = kvCapacityTokens
        } else if worker == nil {
            profile.kvCache.capacityTokens = max(largestContext, profile.kvCache.blockTokens)
            notes.append(
                "without --kv-capacity-tokens the KV cache is taken to hold \(profile.kvCache.capacityTokens) tokens, the "
                    + "largest context measured"
            )
        }
        let largestBatch = decodes.map(\.batch).max() ?? 0
        if largestBatch < profile.limits.maximumSequences {
            notes.append(
                "decode was measured with up to \(largestBatch) sequences and the profile allows "
                    + "\(profile.limits.maximumSequences): beyond \(largestBatch) it is an extrapolation"
            )
        }
        profile.extras["calibration"] = .object([
            "prefill": Self.provenance(prefill.report), "decode": Self.provenance(decode.report),
        ])
        do {
            try profile.validate()
        } catch {
            throw ValidationError("the measurements give no usable profile: \(error)")
        }
        self.profile = profile
        self.notes = notes
    }

    /// How good the fit was: kept in the profile, for whoever sets a margin by it.
    private static func provenance(_ report: FitReport) -> JSONValue {
        .object([
            "form": .string(report.form),
            "points": .integer(Int64(report.crossValidated.points)),
            "cv_mean_rel_error": .number(report.crossValidated.mean),
            "p95_rel_error": .number(report.inSample.p95),
        ])
    }
}
