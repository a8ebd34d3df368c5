/// The queries that wait to be placed, the earliest deadline first.
///
/// It is kept in chunks, so that a query comes and goes in O(log n + n / 64) wherever it stands; at the front, where most
/// of them leave, in O(1).
package struct DeadlineQueue: Sequence, Sendable {
    /// Entries from which a chunk is split.
    private static let largestChunk = 128

    /// In order, none of them empty.
    private var chunks: [[UnplacedQuery]] = []
    package private(set) var count = 0
    /// Changes with every query that comes or goes.
    package private(set) var version: UInt64 = 0
    /// No query that waits may grow longer than this; some that waited earlier might have.
    private(set) var longestContext = 0
    /// Priority and tenant of the first since the queue was last empty, and how many have others.
    private var commonPriority = 0
    private var commonTenant = ""
    private var strangers = 0

    package var isEmpty: Bool { count == 0 }
    package var first: UnplacedQuery? { chunks.first?.first }
    package var underestimatedCount: Int { count }

    /// Whether all are known to be of one priority and one tenant.
    var isUniform: Bool { strangers == 0 }

    package mutating func insert(_ entry: UnplacedQuery) {
        if count == 0 {
            (commonPriority, commonTenant) = (entry.priority, entry.tenant)
            longestContext = 0
        }
        longestContext = Swift.max(longestContext, entry.longestContext)
        if isStranger(entry) { strangers += 1 }
        count += 1
        version += 1
        guard !chunks.isEmpty else {
            chunks.append([entry])
            return
        }
        let chunk = Swift.min(chunkIndex(of: entry), chunks.count - 1)
        chunks[chunk].insert(entry, at: Self.position(of: entry, in: chunks[chunk]))
        if chunks[chunk].count > Self.largestChunk { split(chunk) }
    }

    /// - Returns: whether it was there.
    package mutating func remove(_ entry: UnplacedQuery) -> Bool {
        let chunk = chunkIndex(of: entry)
        guard chunk < chunks.count else { return false }
        let position = Self.position(of: entry, in: chunks[chunk])
        guard position < chunks[chunk].count, chunks[chunk][position].number == entry.number else { return false }
        if isStranger(chunks[chunk][position]) { strangers -= 1 }
        chunks[chunk].remove(at: position)
        if chunks[chunk].isEmpty { chunks.remove(at: chunk) }
        count -= 1
        version += 1
        return true
    }

    private func isStranger(_ entry: UnplacedQuery) -> Bool {
        entry.priority != commonPriority || entry.tenant != commonTenant
    }

    private mutating func split(_ chunk: Int) {
        let middle = chunks[chunk].count / 2
        let upper = Array(chunks[chunk][middle...])
        chunks[chunk].removeLast(upper.count)
        chunks.insert(upper, at: chunk + 1)
    }

    /// The first chunk that does not end before an entry.
    private func chunkIndex(of entry: UnplacedQuery) -> Int {
        guard let first = chunks.first, first[first.count - 1] < entry else { return 0 }
        var low = 1
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle][chunks[middle].count - 1] < entry { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func position(of entry: UnplacedQuery, in chunk: [UnplacedQuery]) -> Int {
        var low = 0
        var high = chunk.count
        while low < high {
            let middle = (low + high) / 2
            if chunk[middle] < entry { low = middle + 1 } else { high = middle }
        }
        return low
    }

    package struct Iterator: IteratorProtocol {
        fileprivate let chunks: [[UnplacedQuery]]
        fileprivate var chunk = 0
        fileprivate var position = 0

        package mutating func next() -> UnplacedQuery? {
            guard chunk < chunks.count else { return nil }
            let entry = chunks[chunk][position]
            position += 1
            if position == chunks[chunk].count { (chunk, position) = (chunk + 1, 0) }
            return entry
        }
    }

    package func makeIterator() -> Iterator {
        Iterator(chunks: chunks)
    }
}
