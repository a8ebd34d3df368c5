/// What a sample of lengths says, by counting: the twin that the tables are compared with.
struct NaiveLengths {
    let lengths: [Int]

    func survival(_ tokens: Int) -> Double {
        Double(lengths.filter { $0 > tokens }.count) / Double(lengths.count)
    }

    /// On the line between the two whole numbers.
    func survival(_ tokens: Double) -> Double {
        let below = Int(tokens.rounded(.down))
        let share = tokens - Double(below)
        return (1 - share) * survival(below) + share * survival(below + 1)
    }

    /// Nil where nothing is longer.
    func conditionalMean(beyond tokens: Int) -> Double? {
        let longer = lengths.filter { $0 > tokens }
        return longer.isEmpty ? nil : Double(longer.reduce(0, +)) / Double(longer.count)
    }

    func quantile(_ q: Double, beyond tokens: Int) -> Int? {
        let longer = lengths.filter { $0 > tokens }.sorted()
        return longer.isEmpty ? nil : longer[max(Int((q * Double(longer.count)).rounded(.up)) - 1, 0)]
    }
}
