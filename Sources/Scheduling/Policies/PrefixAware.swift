/// A policy that likes to send a query to where the beginning of its prompt is in the KV cache already.
///
/// Workers keep none unless they say so, and many traces name no prefixes: a report must not credit such
/// a policy with either. Where it saw none it went by its load term alone.
package protocol PrefixAware: PlacementPolicy {
    /// Whether any query came with hashes of its prompt's blocks.
    var sawPrefixes: Bool { get }
}
