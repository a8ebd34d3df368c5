/// The moments of a sample of queries that the capacity formulas need.
package struct LoadSummary: Hashable, Sendable {
    /// Queries per second.
    package let rate: Double
    /// Mean prompt tokens.
    package let meanInput: Double
    /// Mean squared prompt tokens.
    package let meanSquaredInput: Double
    /// The prompt that 1 % exceed.
    package let longInput: Int
    /// o: mean decode steps of a query, `E[l_out − 1]`.
    package let meanDecodes: Double
    /// `E[n·l_in + n(n + 1)/2]`, the contexts of a query's decode steps together.
    package let meanContextSum: Double
    /// The largest `l_in + l_out`.
    package let largest: Int

    /// - Precondition: at least one query.
    package init(rate: Double, queries: [QuerySize]) {
        precondition(!queries.isEmpty, "a load has queries")
        let count = Double(queries.count)
        self.rate = rate
        meanInput = queries.reduce(0) { $0 + Double($1.inputTokens) } / count
        meanSquaredInput = queries.reduce(0) { $0 + Double($1.inputTokens) * Double($1.inputTokens) } / count
        meanDecodes = queries.reduce(0) { $0 + Double($1.decodeTokens) } / count
        meanContextSum = queries.reduce(0) { $0 + $1.contextSum } / count
        largest = queries.reduce(0) { max($0, $1.inputTokens + $1.outputTokens) }
        let inputs = queries.map(\.inputTokens).sorted()
        longInput = inputs[min(inputs.count * 99 / 100, inputs.count - 1)]
    }

    /// L: the mean context of a resident at a random moment, which favours long answers:
    /// `E[n·l_in + n(n + 1)/2] / E[n]`; the mean prompt if there are no decodes.
    package var residentContext: Double {
        meanDecodes > 0 ? meanContextSum / meanDecodes : meanInput
    }
}
