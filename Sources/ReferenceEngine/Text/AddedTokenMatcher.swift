/// Finds added tokens such as `<|endoftext|>` in text: leftmost first, the longest of those that begin there.
///
/// Contents are matched byte for byte; the file's `lstrip`, `rstrip` and `single_word`, which no supported family sets, are
/// not honoured.
struct AddedTokenMatcher {
    enum Part: Equatable {
        case text(Substring)
        case token(Int32)
    }

    private struct Entry {
        var content: [UInt8]
        var token: Int32
    }

    /// Entries by their first byte, the longest first.
    private var entries = [[Entry]](repeating: [], count: 256)
    private var isEmpty = true

    init(_ tokens: [TokenizerFile.AddedToken]) {
        for token in tokens {
            let content = Array(token.content.utf8)
            guard let first = content.first else { continue }
            entries[Int(first)].append(Entry(content: content, token: token.id))
            isEmpty = false
        }
        for index in entries.indices {
            entries[index].sort { ($1.content.count, $0.token) < ($0.content.count, $1.token) }
        }
    }

    /// Cuts text at its added tokens; parts of text are never empty.
    func cut(_ text: String) -> [Part] {
        guard !text.isEmpty else { return [] }
        guard !isEmpty else { return [.text(text[...])] }
        var parts: [Part] = []
        let bytes = Array(text.utf8)
        var start = 0
        var index = 0
        func slice(_ range: Range<Int>) -> Part {
            let utf8 = text.utf8
            let lower = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
            let upper = utf8.index(lower, offsetBy: range.count)
            return .text(text[lower..<upper])
        }
        while index < bytes.count {
            let match = entries[Int(bytes[index])].first { bytes[index...].starts(with: $0.content) }
            guard let match else {
                index += 1
                continue
            }
            if start < index { parts.append(slice(start..<index)) }
            parts.append(.token(match.token))
            index += match.content.count
            start = index
        }
        if start < bytes.count { parts.append(slice(start..<bytes.count)) }
        return parts
    }
}
