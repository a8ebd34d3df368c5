import Telemetry
import Testing

@Suite("Metrics of several services as one")
struct MergedExpositionTests {
    private static let speed = MetricDescriptor("speed", .gauge, help: "How fast.", labels: ["worker"])
    private static let total = MetricDescriptor("queries_total", .counter, help: "How many.")

    private static func text(_ worker: String, _ count: Double) -> String {
        let registry = MetricRegistry()
        registry.gauge(speed, worker).set(count)
        registry.counter(total).increment(by: count)
        return registry.exposition()
    }

    @Test("Each family is there once, and each series with its service's label")
    func merging() throws {
        let merged = MergedExposition.text(
            of: [("a", Self.text("w", 1)), ("b\"", Self.text("w", 2))],
            label: "shard"
        )
        let parsed = try ExpositionParser(merged)
        #expect(parsed.samples.count == 4)
        for sample in [
            ExpositionParser.Sample(name: "speed", labels: ["shard": "a", "worker": "w"], value: 1),
            .init(name: "speed", labels: ["shard": "b\"", "worker": "w"], value: 2),
            .init(name: "queries_total", labels: ["shard": "a"], value: 1),
            .init(name: "queries_total", labels: ["shard": "b\""], value: 2),
        ] {
            #expect(parsed.samples.contains(sample))
        }
        #expect(merged.split(separator: "\n").count { $0.hasPrefix("# TYPE") } == 2)
    }

    @Test("Of nothing there is nothing")
    func nothing() {
        #expect(MergedExposition.text(of: [("a", "")], label: "shard").isEmpty)
    }
}
