/// The regular expressions that byte-level tokenizers cut text with, as scanners.
///
/// Each returns where the piece that begins at an index ends; every scalar belongs to exactly one piece. Writing them
/// out keeps a regex engine out of the hot path, and there are only these in use:
///
/// - GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/// - Llama 3 and Qwen2: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|`
///   `\s*[\r\n]+|\s+(?!\S)|\s+`, with `\p{N}` in place of `\p{N}{1,3}` for Qwen2.
enum SplitPattern: Equatable {
    case gpt2
    case llama3(maximumDigits: Int)
    /// Cuts out numbers, all digits of one together or each alone; the rest stays whole.
    case digits(individual: Bool)

    /// The pattern with this regular expression, if it is one of the above.
    init?(regex: String) {
        let start = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"#
        let end = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        switch regex {
        case #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#:
            self = .gpt2
        case start + #"\p{N}{1,3}"# + end:
            self = .llama3(maximumDigits: 3)
        case start + #"\p{N}"# + end:
            self = .llama3(maximumDigits: 1)
        default:
            return nil
        }
    }

    /// Where the piece that begins at `index` ends; greater than `index`.
    func pieceEnd(_ text: ScalarClasses, from index: Int) -> Int {
        switch self {
        case .gpt2: gpt2End(text, from: index)
        case .llama3(let digits): llama3End(text, from: index, maximumDigits: digits)
        case .digits(let individual): digitsEnd(text, from: index, individual: individual)
        }
    }

    private func gpt2End(_ text: ScalarClasses, from index: Int) -> Int {
        if let end = contractionEnd(text, from: index, ignoringCase: false) { return end }
        var start = index
        if text.scalars[index] == " ", index + 1 < text.count, !text.isSpace(index + 1) { start += 1 }
        if !text.isSpace(start) { return text.runEnd(of: text.kinds[start], from: start) }
        return spaceEnd(text, from: index)
    }

    private func llama3End(_ text: ScalarClasses, from index: Int, maximumDigits: Int) -> Int {
        if let end = contractionEnd(text, from: index, ignoringCase: true) { return end }
        let kind = text.kinds[index]
        if kind == .letter { return text.runEnd(of: .letter, from: index) }
        if kind == .space || kind == .other, index + 1 < text.count, text.kinds[index + 1] == .letter {
            return text.runEnd(of: .letter, from: index + 1)
        }
        if kind == .number { return min(text.runEnd(of: .number, from: index), index + maximumDigits) }
        var start = index
        if text.scalars[index] == " ", index + 1 < text.count, text.isOther(index + 1) { start += 1 }
        if text.isOther(start) {
            return text.runEnd(of: .newline, from: text.runEnd(of: .other, from: start))
        }
        // White space up to and including its last newline, if it has one.
        let end = text.spaceEnd(from: index)
        if let newline = (index..<end).last(where: { text.kinds[$0] == .newline }) { return newline + 1 }
        return spaceEnd(text, from: index)
    }

    private func digitsEnd(_ text: ScalarClasses, from index: Int, individual: Bool) -> Int {
        if text.kinds[index] == .number { return individual ? index + 1 : text.runEnd(of: .number, from: index) }
        var end = index
        while end < text.count, text.kinds[end] != .number { end += 1 }
        return end
    }

    /// `\s+(?!\S)|\s+`: a run of white space without its last scalar if a word follows, unless that is all there is.
    private func spaceEnd(_ text: ScalarClasses, from index: Int) -> Int {
        let end = text.spaceEnd(from: index)
        return end == text.count || end == index + 1 ? end : end - 1
    }

    private func contractionEnd(_ text: ScalarClasses, from index: Int, ignoringCase: Bool) -> Int? {
        guard text.scalars[index] == "'", index + 1 < text.count else { return nil }
        func letter(_ offset: Int) -> Unicode.Scalar? {
            guard index + offset < text.count else { return nil }
            let scalar = text.scalars[index + offset]
            guard ignoringCase else { return scalar }
            // The long s folds to s.
            if scalar == "\u{17F}" { return "s" }
            return scalar.isASCII ? scalar.properties.lowercaseMapping.unicodeScalars.first : scalar
        }
        switch (letter(1), letter(2)) {
        case ("s", _), ("t", _), ("m", _), ("d", _): return index + 2
        case ("r", "e"), ("v", "e"), ("l", "l"): return index + 3
        default: return nil
        }
    }
}
