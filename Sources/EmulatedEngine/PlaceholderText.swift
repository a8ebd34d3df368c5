/// Text that a reader takes for what it is: words of the old typesetters' filler, drawn by seed and position.
///
/// A token depends on nothing but the seed and its index, so an answer continued on another worker goes on as if it had
/// not been interrupted.
struct PlaceholderText: Hashable, Sendable {
    let seed: UInt64

    /// The token at an index of the answer, and its text, which begins with a space unless it is the first.
    func token(at index: Int) -> (token: Int32, text: String) {
        let position = SplitMix64.mix(seed &+ UInt64(truncatingIfNeeded: index) &* 0x9E37_79B9_7F4A_7C15)
        let token = Int(position % UInt64(Self.words.count))
        return (Int32(token), index == 0 ? Self.words[token] : " " + Self.words[token])
    }

    private static let words = [
        "lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed", "do", "eiusmod", "tempor",
        "incididunt", "ut", "labore", "et", "dolore", "magna", "aliqua", "enim", "ad", "minim", "veniam", "quis",
        "nostrud", "exercitation", "ullamco", "laboris", "nisi", "aliquip", "ex", "ea", "commodo", "consequat",
    ]
}
