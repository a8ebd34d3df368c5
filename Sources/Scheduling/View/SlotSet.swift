/// A set of slots as a bit field.
struct SlotSet: Sendable {
    private var words: [UInt64] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    func contains(_ slot: Int) -> Bool {
        slot >> 6 < words.count && words[slot >> 6] >> UInt64(slot & 63) & 1 == 1
    }

    mutating func set(_ slot: Int, _ isMember: Bool) {
        guard contains(slot) != isMember else { return }
        while words.count <= slot >> 6 { words.append(0) }
        words[slot >> 6] ^= 1 << UInt64(slot & 63)
        count += isMember ? 1 : -1
    }

    /// The least member that is not below a slot.
    ///
    /// - Complexity: O(slots / 64).
    func next(from slot: Int) -> Int? {
        guard count > 0, slot >> 6 < words.count else { return nil }
        var index = slot >> 6
        var word = words[index] & (UInt64.max << UInt64(slot & 63))
        while word == 0 {
            index += 1
            guard index < words.count else { return nil }
            word = words[index]
        }
        return index << 6 + word.trailingZeroBitCount
    }
}
