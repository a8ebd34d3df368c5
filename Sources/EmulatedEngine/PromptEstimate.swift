internal import ServingModel

extension PromptInput {
    /// How many tokens a prompt might have for a usual tokeniser: one for every four bytes of text, rounded up.
    ///
    /// A conversation counts as the sum of its messages; token identifiers are counted as they are.
    var estimatedTokens: Int {
        switch self {
        case .text(let text): Self.estimatedTokens(in: text)
        case .chat(let messages): messages.reduce(0) { $0 + Self.estimatedTokens(in: $1.content) }
        case .tokens(let tokens): tokens.count
        }
    }

    private static func estimatedTokens(in text: String) -> Int {
        (text.utf8.count + 3) / 4
    }
}
