internal import ServingModel

/// One summand of a latency form, without its coefficient.
///
/// A slope that changes at a knee is two terms, one up to the knee and one beyond: with coefficients of at least 0 for
/// both, the time never falls as the work grows, while the slope may well become smaller.
enum LatencyTerm: Hashable, Sendable {
    case constant
    case tokens
    case tokensUpTo(Double)
    case tokensBeyond(Double)
    /// Σ s² of a batch of equal prompts.
    case squares
    case sequences
    case sequencesUpTo(Double)
    case sequencesBeyond(Double)
    /// `1 − (1 − share)^batch`: the experts that at least one of the batch's tokens is routed to.
    case experts(share: Double)

    func value(at point: MeasuredPoint) -> Double {
        switch self {
        case .constant: 1
        case .tokens: point.tokens
        case .tokensUpTo(let knee): min(point.tokens, knee)
        case .tokensBeyond(let knee): max(point.tokens - knee, 0)
        case .squares: point.tokens * point.tokens / max(point.batch, 1)
        case .sequences: point.batch
        case .sequencesUpTo(let knee): min(point.batch, knee)
        case .sequencesBeyond(let knee): max(point.batch - knee, 0)
        case .experts(let share): Self.reached(share: share, tokens: point.batch)
        }
    }

    private static func reached(share: Double, tokens: Double) -> Double {
        var decode = LatencyProfile.Decode()
        decode.expertShare = share
        return decode.shareOfExperts(tokens: Int(tokens))
    }
}
