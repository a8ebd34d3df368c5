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
    /// What it takes of the broker's memory, about: text, identifiers and the index.
    package var storedBytes: Int {
        text.count + tokenIDs.count * MemoryLayout<Int32>.stride + entries.count * MemoryLayout<Entry>.stride
    }

    /// Whether another worker could continue from here: every token's identifier is known.
    package var isResumable: Bool { tokenIDs.count == count }

    /// Adds tokens.
    ///
    /// `ids` is empty if the engine doesn't know them.
    package mutating func append(count added: Int, ids: ArraySlice<Int32>, text addedText: String) {
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
    package func chunk(
        from index: Int,
        limit: Int,
        upTo bound: Int = .max
    ) -> (firstIndex: Int, count: Int, ids: [Int32], text: String)? {
        guard index < count else { return nil }
        let first = firstEntry(endingAfter: index)
        let start = first == 0 ? Entry(endIndex: 0, endOffset: 0) : entries[first - 1]
        var last = first
        while last + 1 < entries.count, entries[last + 1].endIndex <= bound,
            entries[last + 1].endOffset - start.endOffset <= limit
        { last += 1 }
        let end = entries[last]
        return (
            firstIndex: start.endIndex,
            count: end.endIndex - start.endIndex,
            ids: isResumable ? Array(tokenIDs[start.endIndex..<end.endIndex]) : [],
            text: String(decoding: text[start.endOffset..<end.endOffset], as: UTF8.self)
        )
    }

    /// Where a reader has to begin that knows the tokens before `index` and wants the rest: there, or at the beginning of
    /// the piece that `index` lies within.
    package func boundary(at index: Int) -> Int {
        guard index < count else { return index }
        let entry = firstEntry(endingAfter: index)
        return entry == 0 ? 0 : entries[entry - 1].endIndex
    }

    /// All tokens from `index` on, a boundary; nil if there are none.
    package func part(from index: Int) -> OutputPart? {
        guard index < count else { return nil }
        let first = firstEntry(endingAfter: index)
        var start = first == 0 ? Entry(endIndex: 0, endOffset: 0) : entries[first - 1]
        var part = OutputPart(
            firstIndex: start.endIndex,
            count: count - start.endIndex,
            ids: isResumable ? Array(tokenIDs[start.endIndex...]) : [],
            text: Array(text[start.endOffset...])
        )
        for entry in entries[first...] {
            let tokens = UInt32(clamping: entry.endIndex - start.endIndex)
            part.pieces.append(.init(tokens: tokens, bytes: UInt32(clamping: entry.endOffset - start.endOffset)))
            start = entry
        }
        return part
    }

    /// The log that a part from token 0 on was taken from.
    package init(_ part: OutputPart) {
        count = part.count
        tokenIDs = part.ids
        text = part.text
        var end = Entry(endIndex: 0, endOffset: 0)
        for piece in part.pieces {
            end.endIndex += Int(piece.tokens)
            end.endOffset += Int(piece.bytes)
            entries.append(end)
        }
        // What comes from a disk is checked, not trusted.
        let isWhole = end == Entry(endIndex: count, endOffset: text.count)
        if count > 0, !isWhole { entries = [Entry(endIndex: count, endOffset: text.count)] }
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
