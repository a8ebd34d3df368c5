internal import Foundation
internal import Testing

@testable internal import Telemetry

@Suite("The document of metrics")
struct MetricDocumentTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A row of a table in `docs/metrics.md`.
    private struct Row: Equatable, CustomStringConvertible {
        var name: String
        var type: String
        var labels: [String]

        var description: String { "\(name) \(type) \(labels)" }
    }

    private func documented() throws -> [Row] {
        let text = try String(contentsOf: Self.repository.appending(path: "docs/metrics.md"), encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| `aladdin_") }.map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return Row(name: words(cells[1]).joined(), type: cells[2], labels: words(cells[3]))
        }
    }

    /// What stands between back quotes.
    private func words(_ text: String) -> [String] {
        text.matches(of: /`([^`]+)`/).map { String($0.1) }
    }

    @Test("Each metric is described once, with its type and labels, and nothing else is")
    func everyMetricIsDescribed() throws {
        let described = try documented()
        let declared = MetricCatalogue.all.map { Row(name: $0.name, type: $0.typeName, labels: $0.labels) }
        for row in declared where !described.contains(row) {
            Issue.record("docs/metrics.md lacks \(row)")
        }
        for row in described where !declared.contains(row) {
            Issue.record("docs/metrics.md describes \(row), which the code does not have")
        }
        #expect(described.count == declared.count)
        #expect(Set(declared.map(\.name)).count == declared.count)
    }

    @Test("The catalogue's list leaves none out")
    func listIsWhole() throws {
        let folder = Self.repository.appending(path: "Sources/Telemetry")
        let names = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasPrefix("MetricCatalogue") }
            .flatMap { file in
                try String(contentsOf: file, encoding: .utf8).matches(of: /"(aladdin_[a-z_]+)"/).map { String($0.1) }
            }
        #expect(names.sorted() == MetricCatalogue.all.map(\.name).sorted())
    }

    @Test("Rules and dashboard ask for metrics that there are")
    func queriesNameMetrics() throws {
        let known = Set(
            MetricCatalogue.all.flatMap { metric in
                metric.typeName == "histogram"
                    ? ["_bucket", "_sum", "_count"].map { metric.name + $0 } : [metric.name]
            }
        )
        for path in ["compose/prometheus/alerts.yaml", "compose/grafana/dashboards/aladdin.json"] {
            let text = try String(contentsOf: Self.repository.appending(path: path), encoding: .utf8)
            let asked = Set(text.matches(of: /aladdin_[a-z_]+/).map { String($0.0) })
            #expect(!asked.isEmpty)
            #expect(asked.subtracting(known).isEmpty, "\(path): \(asked.subtracting(known).sorted())")
        }
    }
}
