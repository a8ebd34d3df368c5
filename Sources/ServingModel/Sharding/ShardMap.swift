/// Which of several shards serves what: a rule by which everybody finds the same one without asking anybody.
///
/// A shard is a service of its own, with brokers, a scheduler and workers. Each has a weight for each key, and the heaviest
/// serves it (rendezvous hashing; Thaler and Ravishankar, 1998). So a shard that is added takes its share from each of the
/// others and moves nothing between them, and the order in which shards are listed says nothing.
public struct ShardMap: Hashable, Sendable {
    /// What queries are told apart by.
    public enum Key: String, Hashable, Sendable, CaseIterable {
        /// All queries for a model go to one shard: only there it needs workers.
        case model
        /// All queries of a tenant go to one shard: each serves every model.
        case tenant
    }

    /// The shards' names, each once; at least one.
    public let shards: [String]
    public let key: Key
    /// Models or tenants that are served where this says, whatever the weights; names of shards by key.
    public let pins: [String: String]

    /// Nil if there is no shard, one is named twice, or a pin names none of them.
    public init?(shards: [String], by key: Key = .model, pins: [String: String] = [:]) {
        guard !shards.isEmpty, Set(shards).count == shards.count, Set(pins.values).isSubset(of: shards) else {
            return nil
        }
        self.shards = shards
        self.key = key
        self.pins = pins
    }

    /// The shard that serves a model, or a tenant.
    public func shard(for key: String) -> String {
        if let pinned = pins[key] { return pinned }
        return shards.max { (Self.weight(of: $0, for: key), $0) < (Self.weight(of: $1, for: key), $1) } ?? shards[0]
    }

    /// How much a shard weighs for a key: FNV-1a of both in UTF-8 with a zero byte between, mixed as MurmurHash3 ends.
    ///
    /// FNV-1a alone leaves the last characters' mark on few bits, and names often differ only there.
    static func weight(of shard: String, for key: String) -> UInt64 {
        var hash = FNV1a()
        hash.combine(shard.utf8)
        hash.combine(CollectionOfOne(0))
        hash.combine(key.utf8)
        var mixed = hash.value
        mixed = (mixed ^ mixed >> 33) &* 0xFF51_AFD7_ED55_8CCD
        mixed = (mixed ^ mixed >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return mixed ^ mixed >> 33
    }
}
