/// How large relative errors |predicted − measured| / measured are: fractions, 0.04 for 4 %.
package struct RelativeErrors: Hashable, Sendable {
    package var mean = 0.0
    package var p95 = 0.0
    package var max = 0.0
    package var points = 0

    package init() {}

    /// Sums up signed or unsigned errors; the percentile by the nearest rank.
    init(_ errors: [Double]) {
        guard !errors.isEmpty else { return }
        let ascending = errors.map(abs).sorted()
        points = ascending.count
        mean = ascending.reduce(0, +) / Double(ascending.count)
        p95 = ascending[(ascending.count * 95 + 99) / 100 - 1]
        max = ascending[ascending.count - 1]
    }
}
