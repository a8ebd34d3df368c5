/// What a query has produced so far: the one copy from which every reader is served, at its own pace.
///
/// A reader is only an index into the log, so one that stops reading costs nothing and stalls nobody; when it reads
/// again it gets all that it missed as one message.
package struct OutputLog: Hashable, Sendable {
    /// Tokens that became known together.
    private struct Entry: Hashable {
        /// Index after the entry's last token.
        var endIndex: Int
        /// Offset after the entry's text.
        var endOffset: Int
    }

    private var entries: [Entry] = []
    private var text: [UInt8] = []
    /// One per token as long as every engine told them.
    package private(set) var tokenIDs: [Int32] = []
    package private(set) var count = 0

    package init() {}

    package var byteCount: Int { text.count }

    /// Whether another worker could continue from here: every token's identifier is known.
    package var isResumable: Bool { tokenIDs.count == count }

    /// Adds tokens.
    ///
    /// `ids` is empty if the engine doesn't know them.
    package mutating func append(count added: Int, ids: [Int32], text addedText: String) {
        count += added
        tokenIDs.append(contentsOf: ids)
        text.append(contentsOf: addedText.utf8)
        entries.append(Entry(endIndex: count, endOffset: text.count))
    }

    package mutating func removeAll() {
        entries.removeAll()
        text.removeAll()
        tokenIDs.removeAll()
        count = 0
    }

    /// What a reader at token `index` has not seen, up to about `limit` bytes of text; nil if there is nothing.
    ///
    /// An index within an entry is served from the entry's beginning, so the text is never cut inside a character.
    /// Complexity: O(log entries) plus the text returned.
    package func chunk(from index: Int, limit: Int) -> (firstIndex: Int, count: Int, ids: [Int32], text: String)? {
        guard index < count else { return nil }
        let first = firstEntry(endingAfter: index)
        let start = first == 0 ? Entry(endIndex: 0, endOffset: 0) : entries[first - 1]
        var last = first
        while last + 1 < entries.count, entries[last + 1].endOffset - start.endOffset <= limit { last += 1 }
        let end = entries[last]
        return (
            firstIndex: start.endIndex,
            count: end.endIndex - start.endIndex,
            ids: isResumable ? Array(tokenIDs[start.endIndex..<end.endIndex]) : [],
            text: String(decoding: text[start.endOffset..<end.endOffset], as: UTF8.self)
        )
    }

    private func firstEntry(endingAfter index: Int) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].endIndex > index { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
