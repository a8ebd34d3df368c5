internal import Synchronization

/// The metrics of one process.
///
/// Ask for a series once and keep it where it is used often: a look-up hashes the label values under a lock, an
/// increment only takes the series' own lock. Safe to use from any thread.
package final class MetricRegistry: Sendable {
    private let families = Mutex<[String: MetricFamily]>([:])

    package init() {}

    /// The counter of these label values, created at 0 on first use.
    ///
    /// - Precondition: `descriptor` is a counter and has as many labels as there are values.
    package func counter(_ descriptor: MetricDescriptor, _ values: String...) -> Counter {
        guard case .counter(let counter) = family(descriptor).series(for: values) else {
            preconditionFailure("\(descriptor.name) is not a counter")
        }
        return counter
    }

    /// The gauge of these label values, created at 0 on first use.
    ///
    /// - Precondition: `descriptor` is a gauge and has as many labels as there are values.
    package func gauge(_ descriptor: MetricDescriptor, _ values: String...) -> Gauge {
        guard case .gauge(let gauge) = family(descriptor).series(for: values) else {
            preconditionFailure("\(descriptor.name) is not a gauge")
        }
        return gauge
    }

    /// The histogram of these label values, created empty on first use.
    ///
    /// - Precondition: `descriptor` is a histogram and has as many labels as there are values.
    package func histogram(_ descriptor: MetricDescriptor, _ values: String...) -> Histogram {
        guard case .histogram(let histogram) = family(descriptor).series(for: values) else {
            preconditionFailure("\(descriptor.name) is not a histogram")
        }
        return histogram
    }

    /// All families, sorted by name.
    var snapshot: [MetricFamily] {
        families.withLock { $0.values.sorted { $0.descriptor.name < $1.descriptor.name } }
    }

    private func family(_ descriptor: MetricDescriptor) -> MetricFamily {
        families.withLock { families in
            if let known = families[descriptor.name] {
                precondition(known.descriptor == descriptor, "\(descriptor.name) is declared twice, differently")
                return known
            }
            let new = MetricFamily(descriptor)
            families[descriptor.name] = new
            return new
        }
    }
}
