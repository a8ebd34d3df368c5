internal import ServingModel

/// Slots by when their workers were last given a query, the longest ago first, the lower slot first of equals.
///
/// A doubly linked list for each pool, all in the same arrays. Time goes forward, so the slot that was given a query
/// moves to the end in O(slots that were given theirs at the same instant).
struct SlotRecency: Sendable {
    /// One pool's list.
    struct Ends: Sendable {
        var first = -1
        var last = -1
    }

    private var older: [Int32] = []
    private var newer: [Int32] = []
    private var times: [Instant] = []

    /// Adds a slot to a list.
    mutating func insert(_ slot: Int, _ time: Instant, into ends: inout Ends) {
        while times.count <= slot {
            older.append(-1)
            newer.append(-1)
            times.append(.zero)
        }
        times[slot] = time
        var before = ends.last
        while before >= 0, (time, slot) < (times[before], before) { before = Int(older[before]) }
        let after = before >= 0 ? Int(newer[before]) : ends.first
        older[slot] = Int32(before)
        newer[slot] = Int32(after)
        if before >= 0 { newer[before] = Int32(slot) } else { ends.first = slot }
        if after >= 0 { older[after] = Int32(slot) } else { ends.last = slot }
    }

    /// Moves a slot of a list to where its new time belongs.
    mutating func move(_ slot: Int, _ time: Instant, in ends: inout Ends) {
        remove(slot, from: &ends)
        insert(slot, time, into: &ends)
    }

    mutating func remove(_ slot: Int, from ends: inout Ends) {
        let (before, after) = (Int(older[slot]), Int(newer[slot]))
        if before >= 0 { newer[before] = Int32(after) } else { ends.first = after }
        if after >= 0 { older[after] = Int32(before) } else { ends.last = before }
    }

    /// The first slots of a list.
    func first(_ count: Int, of ends: Ends) -> [Int] {
        var slots: [Int] = []
        slots.reserveCapacity(count)
        var slot = ends.first
        while slot >= 0, slots.count < count {
            slots.append(slot)
            slot = Int(newer[slot])
        }
        return slots
    }

    mutating func removeAll() {
        older.removeAll(keepingCapacity: true)
        newer.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
    }
}
