/// Values in order, for quantiles and means.
struct Distribution: Sendable {
    let ascending: [Double]

    init(_ values: [Double]) { ascending = values.sorted() }

    var count: Int { ascending.count }

    var mean: Double? { count > 0 ? ascending.reduce(0, +) / Double(count) : nil }

    var median: Double? { quantile(0.5) }

    /// The least value that a share of the values does not exceed; nil without values.
    func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        return ascending[min(max(Int((share * Double(count)).rounded(.up)) - 1, 0), count - 1)]
    }

    /// The share of the values that are beyond a limit; nil without values.
    func share(above limit: Double) -> Double? {
        count > 0 ? Double(ascending.count { $0 > limit }) / Double(count) : nil
    }
}
