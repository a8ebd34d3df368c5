extension WeightedLength {
    /// A sample of finished lengths, corrected for answers that are still running: the Kaplan–Meier estimate.
    ///
    /// An answer with g tokens so far will be longer than g, otherwise like the others: its weight is spread evenly over
    /// all that is longer, finished or not. Weight that nothing longer can take (the longest answer so far still runs)
    /// is put at twice the length reached, which is finite and says "much longer". Source: Kaplan and Meier 1958, as the
    /// redistribution to the right of Efron 1967.
    ///
    /// - Parameters:
    ///   - finished: in ascending order.
    ///   - unfinished: tokens so far, in any order.
    /// - Returns: in ascending order, of the same total weight as both together.
    /// - Complexity: O(n log n).
    static func correcting(_ finished: [WeightedLength], forUnfinished unfinished: [Int]) -> [WeightedLength] {
        let running = unfinished.map { max($0, 0) }.sorted()
        var atRisk = finished.reduce(0) { $0 + $1.weight } + Double(running.count)
        let total = atRisk
        // The share of all that is longer than where the sweep stands.
        var surviving = 1.0
        var result: [WeightedLength] = []
        result.reserveCapacity(finished.count + 1)
        var next = 0
        for entry in finished {
            // An answer that runs with exactly this many tokens was at risk of ending here.
            while next < running.count, running[next] < entry.tokens {
                atRisk -= 1
                next += 1
            }
            let ending = surviving * entry.weight / max(atRisk, entry.weight)
            result.append(WeightedLength(tokens: entry.tokens, weight: total * ending))
            surviving -= ending
            atRisk -= entry.weight
        }
        guard next < running.count, surviving > 0 else { return result }
        let longest = running[running.count - 1]
        result.append(WeightedLength(tokens: max(2 * longest, 2), weight: total * surviving))
        return result
    }
}
