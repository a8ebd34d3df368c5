internal import Foundation

/// What happens to text before byte-pair merging: normalisation, then one cut after another.
struct PreTokenizer: Equatable {
    /// Unicode's canonical composition, as Qwen2 asks for.
    var composesCanonically = false
    /// Cuts in order, each within the pieces of the one before.
    var patterns: [SplitPattern] = []
    /// A space in front of text that does not begin with one.
    var addsPrefixSpace = false

    /// Brings text into the form that `pieces` expects.
    func normalise(_ text: String) -> String {
        // No scalar below U+0300 takes part in a composition.
        guard composesCanonically, text.unicodeScalars.contains(where: { $0.value >= 0x300 }) else { return text }
        return text.precomposedStringWithCanonicalMapping
    }

    /// Cuts text into pieces; no token crosses from one to the next.
    func pieces(of text: String) -> [Substring.UnicodeScalarView] {
        var pieces = [text[...].unicodeScalars]
        for pattern in patterns {
            pieces = pieces.flatMap { Self.split($0, by: pattern) }
        }
        return pieces
    }

    private static func split(
        _ text: Substring.UnicodeScalarView,
        by pattern: SplitPattern
    ) -> [Substring.UnicodeScalarView] {
        let classes = ScalarClasses(text)
        var pieces: [Substring.UnicodeScalarView] = []
        var start = 0
        var startIndex = text.startIndex
        while start < classes.count {
            let end = pattern.pieceEnd(classes, from: start)
            let endIndex = text.index(startIndex, offsetBy: end - start)
            pieces.append(text[startIndex..<endIndex])
            (start, startIndex) = (end, endIndex)
        }
        return pieces
    }
}

extension PreTokenizer {
    /// Reads the `normalizer` and `pre_tokenizer` of a tokenizer file.
    init(_ file: TokenizerFile, path: String) throws(ModelLoadingError) {
        for component in Self.flatten(file.normalizer, \.normalizers) {
            guard component.type == "NFC" else {
                throw ModelLoadingError(
                    file: path,
                    problem: "normalizer \(component.type) is not supported",
                    expected: "NFC or none"
                )
            }
            composesCanonically = true
        }
        for component in Self.flatten(file.pre_tokenizer, \.pretokenizers) {
            switch component.type {
            case "ByteLevel":
                addsPrefixSpace = addsPrefixSpace || component.add_prefix_space ?? false
                if component.use_regex ?? true { patterns.append(.gpt2) }
            case "Digits":
                patterns.append(.digits(individual: component.individual_digits ?? false))
            case "Split":
                patterns.append(try Self.splitPattern(component, path: path))
            default:
                throw ModelLoadingError(
                    file: path,
                    problem: "pre-tokenizer \(component.type) is not supported",
                    expected: "ByteLevel, Split or Digits"
                )
            }
        }
    }

    private static func splitPattern(
        _ component: TokenizerFile.Component,
        path: String
    ) throws(ModelLoadingError) -> SplitPattern {
        guard component.behavior == "Isolated", component.invert != true,
            let regex = component.pattern?.Regex, let pattern = SplitPattern(regex: regex)
        else {
            let regex = component.pattern?.Regex ?? component.pattern?.String ?? ""
            throw ModelLoadingError(
                file: path,
                problem: "the pre-tokenizer's split \(regex) (\(component.behavior ?? "?")) is not supported",
                expected: "the pattern of GPT-2, Llama 3 or Qwen2, isolated"
            )
        }
        return pattern
    }

    /// A component, or the members of a sequence of them.
    static func flatten(
        _ component: TokenizerFile.Component?,
        _ members: KeyPath<TokenizerFile.Component, [TokenizerFile.Component]?>
    ) -> [TokenizerFile.Component] {
        guard let component else { return [] }
        guard component.type == "Sequence" else { return [component] }
        return (component[keyPath: members] ?? []).flatMap { flatten($0, members) }
    }
}
