internal import Synchronization

/// The series of one metric: one number for each combination of label values seen, up to a bound.
final class MetricFamily: Sendable {
    enum Series: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    /// Stands in for all label values once a metric has as many series as it may.
    static let overflowLabel = "other"

    let descriptor: MetricDescriptor
    private let series = Mutex<[[String]: Series]>([:])

    init(_ descriptor: MetricDescriptor) {
        self.descriptor = descriptor
        if descriptor.labels.isEmpty { _ = series(for: []) }
    }

    /// The series of these label values, made on first use.
    func series(for values: [String]) -> Series {
        precondition(
            values.count == descriptor.labels.count,
            "\(descriptor.name) has the labels \(descriptor.labels), got values \(values)"
        )
        return series.withLock { series in
            if let known = series[values] { return known }
            guard series.count >= descriptor.maximumSeries else {
                let new = makeSeries()
                series[values] = new
                return new
            }
            let overflow = values.map { _ in Self.overflowLabel }
            if let known = series[overflow] { return known }
            let new = makeSeries()
            series[overflow] = new
            return new
        }
    }

    /// All series, sorted by their label values.
    var snapshot: [(values: [String], series: Series)] {
        series.withLock { series in
            series.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
        }
    }

    private func makeSeries() -> Series {
        switch descriptor.kind {
        case .counter: .counter(Counter())
        case .gauge: .gauge(Gauge())
        case .histogram(let bounds): .histogram(Histogram(bounds: bounds))
        }
    }
}
