internal import Foundation
internal import Scheduling
internal import ServingModel

extension Calibration {
    /// For people.
    var text: String {
        var lines = ["\(setting.model) on \(setting.gpus) × \(setting.device)", ""]
        lines.append(
            Terminal.table([
                ["MODEL", "FORM", "POINTS", "MEAN", "P95", "MAX", "UNSEEN MEAN", "UNSEEN >128", "PAPER'S FORM UNSEEN"],
                prefill.report.row("prefill"),
                decode.report.row("decode"),
            ])
        )
        lines.append("")
        lines.append("prefill ms  \(profile.prefill.formula)")
        lines.append("decode ms   \(profile.decode.formula)")
        return lines.joined(separator: "\n")
    }

    var object: [String: Any] {
        [
            "model": setting.model, "device": setting.device, "gpus": setting.gpus,
            "prefill": prefill.report.object, "decode": decode.report.object,
        ]
    }
}

extension FitReport {
    fileprivate func row(_ name: String) -> [String] {
        [
            name, form, "\(crossValidated.points)", inSample.mean.percent, inSample.p95.percent, inSample.max.percent,
            crossValidated.mean.percent, crossValidatedAbove128.points > 0 ? crossValidatedAbove128.mean.percent : "-",
            paperCrossValidated?.mean.percent ?? "-",
        ]
    }

    fileprivate var object: [String: Any] {
        var object: [String: Any] = [
            "mean_rel_error": inSample.mean, "p95_rel_error": inSample.p95, "max_rel_error": inSample.max,
            "cv_mean_rel_error": crossValidated.mean, "cv_p95_rel_error": crossValidated.p95,
            "cv_max_rel_error": crossValidated.max, "points": crossValidated.points, "measurements": measurements,
            "form": form, "rel_deviation": interval.deviation,
            "forms": tried.map { tried in
                [
                    "form": tried.form, "parameters": tried.parameters,
                    "cv_mean_rel_error": tried.crossValidatedMean.map { $0 as Any } ?? NSNull(),
                ]
            },
        ]
        if crossValidatedAbove128.points > 0 {
            object["above_128_mean_rel_error"] = inSampleAbove128.mean
            object["above_128_cv_mean_rel_error"] = crossValidatedAbove128.mean
        }
        if let paperInSample, let paperCrossValidated {
            var paper: [String: Any] = [
                "mean_rel_error": paperInSample.mean, "p95_rel_error": paperInSample.p95,
                "max_rel_error": paperInSample.max, "cv_mean_rel_error": paperCrossValidated.mean,
            ]
            if let above = paperCrossValidatedAbove128, above.points > 0 {
                paper["above_128_cv_mean_rel_error"] = above.mean
            }
            object["paper_form"] = paper
        }
        return object
    }
}

extension LatencyProfile.Prefill {
    fileprivate var formula: String {
        var sum = "\(c1Milliseconds.coefficient) + \(k1Milliseconds.coefficient)·T"
        if k1qMilliseconds != 0 { sum += " + \(k1qMilliseconds.coefficient)·Σs²" }
        if kneeTokens > 0 { sum += " + \(k1AboveKneeMilliseconds.coefficient)·max(0, T − \(kneeTokens.coefficient))" }
        return c0Milliseconds > 0 ? "max(\(c0Milliseconds.coefficient), \(sum))" : sum
    }
}

extension LatencyProfile.Decode {
    fileprivate var formula: String {
        var sum = "\(c3Milliseconds.coefficient) + \(k2Milliseconds.coefficient)·C + \(c2Milliseconds.coefficient)·b"
        if kneeSequences > 0 {
            sum += " + \(c2AboveKneeMilliseconds.coefficient)·max(0, b − \(kneeSequences.coefficient))"
        }
        if expertMilliseconds > 0 {
            sum += " + \(expertMilliseconds.coefficient)·(1 − (1 − \(expertShare.coefficient))^b)"
        }
        return sum
    }
}

extension Double {
    fileprivate var coefficient: String { String(format: "%.4g", self) }
}
