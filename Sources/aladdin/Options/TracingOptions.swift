internal import ArgumentParser
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import ServiceSettings
internal import SpanExport

/// Where spans of queries go.
struct TracingOptions: ParsableArguments {
    @Option(help: "File to which spans are added, a line of OTLP's JSON for each batch. (default: none)")
    var traceFile: String?

    @Option(
        help: "A collector's address, as http://HOST:4318: spans go there, as OTLP in JSON over HTTP. (default: none)"
    )
    var otlpEndpoint: String?

    @Option(
        parsing: .unconditional,
        help: "The share of queries traced among those that bring no trace context; others say themselves. (default: 1)"
    )
    var traceSampleRatio: Double?

    /// To be shut down last, so that what the others have to say is exported: first in a list of services.
    static func services(_ spans: SpanExporter?) -> [any Service] {
        spans.map { [$0] } ?? []
    }

    func share() throws -> Double {
        try Setting.resolve(traceSampleRatio, "trace-sample-ratio", default: 1)
    }

    /// Who takes the spans of this process; nil if nothing is traced.
    func exporter(logger: Logger) throws -> SpanExporter? {
        let file = try Setting.resolve(traceFile, "trace-file")
        let endpoint = try Setting.resolve(otlpEndpoint, "otlp-endpoint")
        guard file == nil || endpoint == nil else {
            let label = Setting.label("otlp-endpoint", isGiven: otlpEndpoint != nil)
            throw ConfigurationFault(
                "\(label) is '\(endpoint ?? "")', and trace-file '\(file ?? "")'; it must be one of the two"
            )
        }
        let destination: SpanDestination
        if let endpoint {
            destination = .collector(endpoint: endpoint)
        } else if let file {
            do throws(SpanDestination.Failure) {
                destination = try .file(path: file)
            } catch {
                let label = Setting.label("trace-file", isGiven: traceFile != nil)
                throw ConfigurationFault(
                    "\(label) is '\(file)', which cannot be written: \(error); it must be a file that can be made"
                )
            }
        } else {
            return nil
        }
        let process = ProcessInfo.processInfo
        return SpanExporter(
            to: destination,
            instance: "\(process.hostName)-\(process.processIdentifier)",
            logger: logger
        )
    }
}
