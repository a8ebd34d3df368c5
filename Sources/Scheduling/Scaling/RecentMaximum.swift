internal import ServingModel

/// The largest of the values of the last while: shrinking waits until all of them agree.
///
/// Amortised O(1): a value is dropped once a later one is as large.
struct RecentMaximum: Sendable {
    let window: Interval
    private var entries: [(time: Instant, value: Int)] = []

    init(window: Interval) {
        self.window = window
    }

    /// - Returns: the largest value of the window that ends now, this one included.
    mutating func add(_ value: Int, at now: Instant) -> Int {
        while let last = entries.last, last.value <= value { entries.removeLast() }
        entries.append((now, value))
        while let first = entries.first, now - first.time > window { entries.removeFirst() }
        return entries[0].value
    }
}
