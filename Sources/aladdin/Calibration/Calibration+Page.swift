internal import Reports
internal import Scheduling
internal import ServingModel

extension Calibration {
    /// The fit in pictures: predicted beside measured times, and where the errors lie.
    var page: Page {
        Page(
            "Latency models of \(setting.model)",
            subtitle: "\(setting.gpus) × \(setting.device)",
            keyFigures: [
                .init(
                    prefill.report.crossValidated.mean.percent,
                    "prefill error",
                    note: "mean, on points that the fit has not seen"
                ),
                .init(decode.report.crossValidated.mean.percent, "decode error", note: "mean, likewise"),
            ],
            sections: [
                Page.Section("Prefill", prefill.report.blocks(tokens: "prompt tokens in the step")),
                Page.Section("Decode", decode.report.blocks(tokens: "context tokens in the step")),
            ],
            colophon: "aladdin \(Version.current)"
        )
    }
}

extension FitReport {
    fileprivate func blocks(tokens: String) -> [Page.Block] {
        [
            .text(
                "Form: \(form), chosen by the error on unseen points among those below. "
                    + "\(crossValidated.points) distinct points from \(measurements) measurements."
            ),
            .figure(
                predictedAndMeasured,
                caption: "Each dot is one point of the measured grid; on the line, the prediction is right."
            ),
            .figure(
                errors(along: tokens),
                caption: "Above zero the model is too slow, below it too fast. Unseen: by a fit without that point."
            ),
            .table(formTable),
        ]
    }

    private var predictedAndMeasured: Plot {
        Plot(
            "Predicted and measured time",
            x: Axis("measured", .seconds, scale: .logarithmic),
            y: Axis("predicted", .seconds, scale: .logarithmic),
            series: [
                .dots(
                    "points",
                    residuals.map { .init($0.point.milliseconds / 1000, $0.predictedMilliseconds / 1000) }
                )
            ],
            references: [.diagonal("predicted = measured")]
        )
    }

    private func errors(along tokens: String) -> Plot {
        Plot(
            "Relative error",
            x: Axis(tokens, .number, scale: .logarithmic),
            y: Axis("(predicted − measured) / measured", .fraction),
            series: [
                .dots("unseen", residuals.map { .init($0.point.tokens, $0.crossValidatedError) }),
                .dots("fitted", residuals.map { .init($0.point.tokens, $0.error) }),
            ],
            references: [.y(0, "right")]
        )
    }

    private var formTable: Table {
        var rows = tried.map { tried in
            Table.Row(
                [
                    .text(tried.form), .number(Double(tried.parameters)),
                    .number(tried.crossValidatedMean ?? .nan),
                ],
                emphasised: tried.form == form
            )
        }
        if let paperCrossValidated {
            rows.append(.init(["the paper's: affine, ordinary least squares", "", .number(paperCrossValidated.mean)]))
        }
        return Table(
            "Forms that were tried",
            columns: [
                .text("form"), .numbers("parameters", .count),
                .numbers("mean error, unseen", .fraction, best: .smallest),
            ],
            rows: rows
        )
    }
}
