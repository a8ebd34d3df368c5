internal import ServingModel
internal import Testing

@testable internal import Telemetry

@Suite("The metric registry")
struct MetricRegistryTests {
    private let requests = MetricDescriptor("a_requests_total", .counter, help: "Requests.", labels: ["route"])
    private let depth = MetricDescriptor("b_depth", .gauge, help: "Depth,\nwith a \\ in it.")
    private let latency = MetricDescriptor("c_seconds", .histogram(bounds: [0.1, 1, 10]), help: "Latency.")

    @Test("hands out the same series for the same label values")
    func sameSeries() {
        let registry = MetricRegistry()
        registry.counter(requests, "/x").increment()
        registry.counter(requests, "/x").increment(by: 2)
        registry.counter(requests, "/y").increment()
        #expect(registry.counter(requests, "/x").value == 3)
        #expect(registry.counter(requests, "/y").value == 1)
    }

    @Test("renders what a scraper can read back")
    func roundTrip() throws {
        let registry = MetricRegistry()
        registry.counter(requests, "odd \"value\" \\ with\nall").increment(by: 7)
        registry.gauge(depth).set(-2.5)
        for value in [0.05, 0.1, 0.5, 20] { registry.histogram(latency).observe(value) }

        let parsed = try ExpositionParser(registry.exposition())

        #expect(parsed.types == ["a_requests_total": "counter", "b_depth": "gauge", "c_seconds": "histogram"])
        #expect(parsed.help["b_depth"] == "Depth,\\nwith a \\\\ in it.")
        #expect(parsed.value("a_requests_total", ["route": "odd \"value\" \\ with\nall"]) == 7)
        #expect(parsed.value("b_depth") == -2.5)
        #expect(parsed.value("c_seconds_bucket", ["le": "0.1"]) == 2)
        #expect(parsed.value("c_seconds_bucket", ["le": "1"]) == 3)
        #expect(parsed.value("c_seconds_bucket", ["le": "10"]) == 3)
        #expect(parsed.value("c_seconds_bucket", ["le": "+Inf"]) == 4)
        #expect(parsed.value("c_seconds_count") == 4)
        #expect(parsed.value("c_seconds_sum") == 20.65)
    }

    @Test("takes in what was counted elsewhere, also where it is one of too many")
    func distributions() throws {
        let registry = MetricRegistry()
        var distribution = Distribution(bounds: [0.1, 1, 10])
        for value in [0.05, 0.5, 20] { distribution.add(value) }
        registry.histogram(latency).add(distribution)
        registry.histogram(latency).add(distribution)
        let bounded = MetricDescriptor(
            "e_seconds",
            .histogram(bounds: [0.1, 1, 10]),
            help: "E.",
            labels: ["x"],
            maximumSeries: 1
        )
        for index in 0..<3 { registry.histogram(bounded, "\(index)").add(distribution) }
        let parsed = try ExpositionParser(registry.exposition())
        #expect(parsed.value("c_seconds_bucket", ["le": "0.1"]) == 2)
        #expect(parsed.value("c_seconds_bucket", ["le": "1"]) == 4)
        #expect(parsed.value("c_seconds_count") == 6 && parsed.value("c_seconds_sum") == 41.1)
        #expect(parsed.value("e_seconds_count", ["x": "other"]) == 6)
    }

    @Test("shows a metric without labels from the moment it is declared")
    func startsAtZero() throws {
        let registry = MetricRegistry()
        _ = registry.gauge(depth)
        _ = registry.histogram(latency)
        let parsed = try ExpositionParser(registry.exposition())
        #expect(parsed.value("b_depth") == 0)
        #expect(parsed.value("c_seconds_count") == 0)
    }

    @Test("counts label values beyond the bound under `other`")
    func boundedCardinality() throws {
        let registry = MetricRegistry()
        let bounded = MetricDescriptor("d_total", .counter, help: "D.", labels: ["x", "y"], maximumSeries: 2)
        for index in 0..<1000 { registry.counter(bounded, "\(index)", "y").increment() }
        let parsed = try ExpositionParser(registry.exposition())
        #expect(parsed.samples.count == 3)
        #expect(parsed.value("d_total", ["x": "0", "y": "y"]) == 1)
        #expect(parsed.value("d_total", ["x": "other", "y": "other"]) == 998)
    }

    @Test("loses no increment made from many tasks at once")
    func concurrency() async {
        let registry = MetricRegistry()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { [requests, latency] in
                    for _ in 0..<1000 {
                        registry.counter(requests, "/x").increment()
                        registry.histogram(latency).observe(.milliseconds(500))
                    }
                }
            }
        }
        #expect(registry.counter(requests, "/x").value == 8000)
        #expect(registry.histogram(latency).snapshot.counts == [0, 8000, 0, 0])
        #expect(registry.histogram(latency).snapshot.sum == 4000)
    }

    @Test("keeps counters from falling and sums from turning into NaN")
    func rejectsNonsense() {
        let registry = MetricRegistry()
        let counter = registry.counter(requests, "/x")
        counter.increment(by: -1)
        counter.increment(by: .nan)
        #expect(counter.value == 0)
        registry.histogram(latency).observe(.nan)
        #expect(registry.histogram(latency).snapshot.count == 0)
    }

    @Test(
        "writes numbers as Prometheus reads them",
        arguments: [
            (0, "0"), (12, "12"), (-3, "-3"), (0.25, "0.25"), (1e-9, "1e-09"), (1e20, "1e+20"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, text: String) {
        #expect(MetricRegistry.number(value) == text)
    }

    @Test("has a catalogue whose names say what they are")
    func catalogue() throws {
        let registry = MetricRegistry()
        _ = registry.counter(MetricCatalogue.gatewayRequests, "/", "200")
        _ = registry.counter(MetricCatalogue.gatewayOutputTokens)
        _ = registry.counter(MetricCatalogue.gatewayClientCancellations, "plain")
        _ = registry.counter(MetricCatalogue.gatewayStreamErrors, "none")
        _ = registry.gauge(MetricCatalogue.gatewayRequestsInFlight)
        _ = registry.histogram(MetricCatalogue.gatewayTimeToFirstToken)
        _ = registry.histogram(MetricCatalogue.gatewayAverageTokenTime)
        let parsed = try ExpositionParser(registry.exposition())
        #expect(parsed.types.count == 7)
        for (name, type) in parsed.types {
            #expect(name.hasPrefix("aladdin_gateway_"))
            #expect(name.hasSuffix("_total") == (type == "counter"))
            #expect(parsed.help[name] != nil)
        }
    }
}
