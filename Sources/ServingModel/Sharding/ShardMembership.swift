/// What a broker knows of the shards that it is one of: enough to send away who came to the wrong one.
///
/// A query that two shards took would be run twice in spite of its name.
package struct ShardMembership: Hashable, Sendable {
    package var shard: String
    package var map: ShardMap

    package init(shard: String, in map: ShardMap) {
        self.shard = shard
        self.map = map
    }

    /// - Throws: a `Status` that names the right shard, if that is another one.
    package func check(model: String) throws(Status) {
        guard map.key == .model else { return }
        try check("the model", model)
    }

    /// - Throws: a `Status` that names the right shard, if that is another one.
    package func check(tenant: String) throws(Status) {
        guard map.key == .tenant else { return }
        try check("the tenant", tenant)
    }

    private func check(_ what: String, _ key: String) throws(Status) {
        let right = map.shard(for: key)
        guard right != shard else { return }
        throw Status(
            .failedPrecondition,
            .wrongShard,
            "\(what) '\(key)' is served by the shard \(right), and this is \(shard)"
        )
    }
}
