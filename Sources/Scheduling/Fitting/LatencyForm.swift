/// A shape that a latency model may take, with what has to be searched for: the place of a knee, the share of experts.
struct LatencyForm: Hashable, Sendable {
    enum Knee: Hashable, Sendable {
        case none
        /// In the tokens of the step.
        case tokens
        /// In the sequences of the step.
        case sequences
    }

    enum Phase: Hashable, Sendable {
        case prefill
        case decode
    }

    /// As the report spells it.
    var name: String
    var phase: Phase
    /// Whether short steps all take the same time.
    var hasFloor = false
    var hasSquares = false
    var knee = Knee.none
    /// Shares of the experts to try, best one taken; none for a dense model.
    var expertShares: [Double] = []

    /// Numbers to be found, searched ones included.
    var parameters: Int {
        var count = phase == .prefill ? 2 : 3
        if hasFloor { count += 1 }
        if hasSquares { count += 1 }
        if knee != .none { count += 2 }
        if !expertShares.isEmpty { count += expertShares.count > 1 ? 2 : 1 }
        return count
    }

    /// The sets of terms to try on these points: one for each place of the knee and each share.
    func bases(for points: [MeasuredPoint]) -> [[LatencyTerm]] {
        let knees: [Double?]
        switch knee {
        case .none: knees = [nil]
        case .tokens: knees = self.knees(points.map(\.tokens))
        case .sequences: knees = self.knees(points.map(\.batch))
        }
        let shares: [Double?] = expertShares.isEmpty ? [nil] : expertShares
        return knees.flatMap { knee in shares.map { basis(knee: knee, share: $0) } }
    }

    private func basis(knee: Double?, share: Double?) -> [LatencyTerm] {
        var terms: [LatencyTerm] = [.constant]
        switch (self.knee, knee) {
        case (.tokens, let knee?): terms += [.tokensUpTo(knee), .tokensBeyond(knee)]
        default: terms.append(.tokens)
        }
        if phase == .decode {
            switch (self.knee, knee) {
            case (.sequences, let knee?): terms += [.sequencesUpTo(knee), .sequencesBeyond(knee)]
            default: terms.append(.sequences)
            }
        }
        if hasSquares { terms.append(.squares) }
        if let share { terms.append(.experts(share: share)) }
        return terms
    }

    /// The most places of a knee that are tried: enough to be off by a few percent, few enough to cross-validate.
    private var mostKnees: Int { expertShares.count > 1 ? 8 : 16 }

    /// Places for a knee: measured values with at least two distinct ones on either side, thinned evenly.
    private func knees(_ values: [Double]) -> [Double?] {
        var distinct: [Double] = []
        for value in values.sorted() where value != distinct.last { distinct.append(value) }
        guard distinct.count >= 5 else { return [] }
        let inner = Array(distinct[1..<(distinct.count - 2)])
        guard inner.count > mostKnees else { return inner }
        return (0..<mostKnees).map { inner[$0 * (inner.count - 1) / (mostKnees - 1)] }
    }
}
