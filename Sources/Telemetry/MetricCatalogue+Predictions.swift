/// Predictions against what then happened, as the broker compares them.
///
/// Errors are moving averages of `(predicted − actual) / actual`: 0.05 is 5 %. A worker's series end when it leaves.
extension MetricCatalogue {
    /// A worker's name need not be unique; with the number of its session it is.
    static let workerLabels = ["worker", "id"]
    static let maximumWorkers = 1024

    package static let predictions = MetricDescriptor(
        "aladdin_predictions_total",
        .counter,
        help: "Latency predictions compared with what happened, by what was predicted: ttft or atgt.",
        labels: ["quantity"]
    )

    package static let predictionError = MetricDescriptor(
        "aladdin_prediction_error_ratio",
        .gauge,
        help: "Mean absolute relative error of recent predictions, by what was predicted: ttft or atgt.",
        labels: ["quantity"]
    )

    package static let predictionBias = MetricDescriptor(
        "aladdin_prediction_bias_ratio",
        .gauge,
        help: "Mean signed relative error of recent predictions, positive if they were too long: ttft or atgt.",
        labels: ["quantity"]
    )

    package static let workerPredictionError = MetricDescriptor(
        "aladdin_worker_prediction_error_ratio",
        .gauge,
        help: "Mean absolute relative error of recent predictions for a worker: ttft, atgt or step.",
        labels: workerLabels + ["quantity"],
        maximumSeries: 3 * maximumWorkers
    )

    package static let workerPredictionBias = MetricDescriptor(
        "aladdin_worker_prediction_bias_ratio",
        .gauge,
        help: "Mean signed relative error of recent predictions for a worker: ttft, atgt or step.",
        labels: workerLabels + ["quantity"],
        maximumSeries: 3 * maximumWorkers
    )
}
