internal import ArgumentParser
internal import Brokering

/// Which queries the broker refuses when they could not be served within their objective.
struct AdmissionOptions: ParsableArguments {
    @Option(
        help: """
            Refuse queries on arrival that could not be served within their objective: off, objectives (of those that \
            name one) or all. (default: objectives)
            """
    )
    var admission: String?

    func apply(to configuration: inout BrokerConfiguration) throws {
        switch try Setting.resolve(admission, "admission", default: "objectives") {
        case "off": configuration.refusesByPrediction = false
        case "objectives": configuration.admissionCoversAll = false
        default: configuration.admissionCoversAll = true
        }
    }
}
