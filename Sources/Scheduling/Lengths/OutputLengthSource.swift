/// Where a policy takes output lengths from.
package enum OutputLengthSource: String, Hashable, Sendable, CaseIterable {
    /// The lengths of finished queries like this one: `LengthHistory`.
    case history
    /// The true length, known beforehand: the client's hint is taken as the truth. For measuring what prediction costs.
    case oracle
}
