/// How much of a query outlives the broker's process; its client chooses.
package enum Durability: String, Hashable, Sendable, CaseIterable {
    /// Nothing: it is in memory only.
    case volatile
    /// Its acceptance and its result. If the broker stops in between, the answer starts over.
    case accept
    /// What it has produced so far, too, in checkpoints: the answer goes on from there.
    case stream
}
