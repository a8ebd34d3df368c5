internal import ServingModel

/// The prompt of a text completion: one text or one list of tokens, alone or in an array.
struct PromptBody: Decodable, Sendable {
    static let expected = "a string, an array with one string, or an array of token ids"

    var input: PromptInput

    init(_ input: PromptInput) {
        self.input = input
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            input = .text(text)
        } else if let texts = try? container.decode([String].self) {
            input = .text(try Self.only(texts))
        } else if let tokens = try? container.decode([Int32].self) {
            input = .tokens(tokens)
        } else {
            input = .tokens(try Self.only(container.decode([[Int32]].self)))
        }
    }

    private static func only<Prompt>(_ prompts: [Prompt]) throws -> Prompt {
        guard let prompt = prompts.first, prompts.count == 1 else {
            let problem = prompts.isEmpty ? "must not be empty" : "may hold one prompt only; send one request for each"
            throw APIError.invalidRequest("'prompt' \(problem).", param: "prompt")
        }
        return prompt
    }
}
