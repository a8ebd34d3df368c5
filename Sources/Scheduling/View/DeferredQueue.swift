internal import ServingModel

/// The queries that wait without hope for their TTFT objective, in the order in which it was given up.
///
/// They leave near the front, where that moves few others.
package struct DeferredQueue: Sequence, Sendable {
    private var entries: [UnplacedQuery] = []
    /// Entries before this one have left.
    private var head = 0

    package var isEmpty: Bool { head == entries.count }
    package var count: Int { entries.count - head }
    package var underestimatedCount: Int { count }
    package var first: UnplacedQuery? { isEmpty ? nil : entries[head] }

    mutating func append(_ entry: UnplacedQuery) {
        entries.append(entry)
    }

    mutating func remove(_ number: QueryNumber) {
        guard let position = entries[head...].firstIndex(where: { $0.number == number }) else { return }
        guard position - head < entries.count - position else {
            entries.remove(at: position)
            return
        }
        for index in stride(from: position, to: head, by: -1) { entries[index] = entries[index - 1] }
        head += 1
        guard head > 64, head > entries.count / 2 else { return }
        entries.removeFirst(head)
        head = 0
    }

    package func makeIterator() -> ArraySlice<UnplacedQuery>.Iterator {
        entries[head...].makeIterator()
    }
}
