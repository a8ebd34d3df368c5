internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import ServingModel
internal import Testing

@testable internal import SpanExport

@Suite("Exporting spans", .serialized, .timeLimit(.minutes(2)))
struct SpanExporterTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func spans(_ count: Int, _ name: String = "s") -> [Span] {
        let context = TraceContext(trace: TraceID(high: 1, low: 2), parent: nil, isSampled: true)
        return (0..<count).map {
            Span(context, id: SpanID(rawValue: UInt64($0 + 1)), name: name, kind: .internal, start: 1, end: 2)
        }
    }

    /// Runs an exporter for as long as `body` takes, and its shutdown.
    private func with(
        _ destination: SpanDestination,
        _ configure: (inout SpanExporter.Settings) -> Void = { _ in },
        _ body: (SpanExporter) async throws -> Void
    ) async throws -> SpanCounts {
        var settings = SpanExporter.Settings()
        settings.interval = .milliseconds(1)
        settings.firstPause = .milliseconds(1)
        configure(&settings)
        let exporter = SpanExporter(to: destination, settings: settings, instance: "i", logger: Self.silent)
        let services = ServiceGroup(
            configuration: .init(services: [.init(service: exporter)], logger: Self.silent)
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            try await body(exporter)
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
        return exporter.counts
    }

    private func names(_ body: String) throws -> [String] {
        let document = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        let resource = (document?["resourceSpans"] as? [[String: Any]])?.first
        let scope = (resource?["scopeSpans"] as? [[String: Any]])?.first
        return (scope?["spans"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    }

    @Test("A collector gets them in batches, all of them")
    func collector() async throws {
        let collector = try StandInCollector()
        defer { collector.stop() }
        let counts = try await with(.collector(endpoint: collector.url + "/")) {
            $0.batch = 10
        } _: { exporter in
            exporter.record(spans(25))
            await collector.requests(3)
        }
        // A batch whose answer the shutdown did not wait for is sent once more.
        #expect(try collector.bodies.prefix(3).map { try names($0).count } == [10, 10, 5])
        #expect(counts.exported == 25 && counts.failed == 0 && counts.dropped == 0)
    }

    @Test("A collector that is busy is asked again; one that refuses is not")
    func retries() async throws {
        let collector = try StandInCollector()
        defer { collector.stop() }
        collector.answer(503, 429, 200, 400)
        let counts = try await with(.collector(endpoint: collector.url)) { exporter in
            exporter.record(spans(2, "first"))
            await collector.requests(3)
            exporter.record(spans(3, "second"))
            await collector.requests(4)
            exporter.record(spans(4, "third"))
            await collector.requests(5)
        }
        let heard = try collector.bodies.prefix(5).map { try names($0).first ?? "" }
        #expect(heard == ["first", "first", "first", "second", "third"], "\(heard) \(counts)")
        #expect(counts.exported == 6 && counts.failed == 3)
    }

    @Test("One that answers nothing costs spans, and neither time nor memory")
    func silence() async throws {
        let collector = try StandInCollector()
        defer { collector.stop() }
        collector.fallSilent()
        let counts = try await with(.collector(endpoint: collector.url)) {
            $0.capacity = 100
            $0.lastPatience = .milliseconds(50)
        } _: { exporter in
            exporter.record(spans(1))
            await collector.requests(1)
            // The first one is on its way, and stays there.
            for _ in 0..<1000 { exporter.record(spans(30)) }
        }
        #expect(counts.dropped == 30_000 - 90, "\(counts)")
        #expect(counts.exported == 0 && counts.failed == 91, "\(counts)")
    }

    @Test("What waits at the end is exported then")
    func end() async throws {
        let collector = try StandInCollector()
        defer { collector.stop() }
        let counts = try await with(.collector(endpoint: collector.url)) {
            $0.interval = .seconds(3600)
        } _: {
            $0.record(spans(7))
        }
        #expect(counts.exported == 7)
        #expect(collector.bodies.count == 1)
    }

    @Test("Nobody there is a failure that ends nothing")
    func nobody() async throws {
        let collector = try StandInCollector()
        collector.stop()
        let counts = try await with(.collector(endpoint: collector.url)) {
            $0.tries = 2
        } _: {
            $0.record(spans(7))
        }
        #expect(counts.failed == 7 && counts.exported == 0)
    }

    @Test("A file gets a line for each batch, and only its owner can read it")
    func file() async throws {
        let path = NSTemporaryDirectory() + "spans-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for name in ["first", "second"] {
            _ = try await with(.file(path: path)) { $0.record(spans(3, name)) }
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(try lines.map { try names($0) } == [["first", "first", "first"], ["second", "second", "second"]])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        #expect(throws: SpanDestination.Failure.self) { try SpanDestination.file(path: "/nowhere/spans") }
    }
}
