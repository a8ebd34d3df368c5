/// Hashing of keys that the service itself hands out.
///
/// Swift's tables hash with SipHash, so that nobody can choose keys that collide; with keys of eight bytes that is most of
/// what a look-up costs, and a query is looked up some thirty times on its way. Numbers that count up need none of it: a
/// few multiplications (the finaliser of MurmurHash3) spread them, from where the table's own seed says.
public enum QuickHash {
    @inlinable
    public static func spread(_ key: UInt64, seed: Int) -> Int {
        var bits = key ^ UInt64(truncatingIfNeeded: seed)
        bits = (bits ^ bits >> 33) &* 0xFF51_AFD7_ED55_8CCD
        bits = (bits ^ bits >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return Int(truncatingIfNeeded: bits ^ bits >> 33)
    }
}

/// A number that the service hands out in order, and uses as a key.
public protocol SerialNumber: Hashable, Comparable, Sendable {
    associatedtype RawValue: FixedWidthInteger

    var rawValue: RawValue { get }
}

extension SerialNumber {
    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// What `Dictionary` and `Set` ask for.
    @inlinable
    public func _rawHashValue(seed: Int) -> Int {
        QuickHash.spread(UInt64(truncatingIfNeeded: rawValue), seed: seed)
    }
}
