package import ServingModel

/// The text side of a model: prompts become tokens, and tokens text.
///
/// Engines that compute on tokens only, such as plug-ins, use it as the CPU engine does.
package struct ModelText {
    let tokenizer: Tokenizer
    let chatFormat: ChatFormat
    /// Tokens that end an answer.
    let endTokens: Set<Int32>
    package let vocabularySize: Int
}

extension ModelText {
    /// Reads a directory in Hugging Face's layout: `config.json`, `tokenizer.json`, and `tokenizer_config.json`,
    /// `generation_config.json` and `chat_template.jinja` where they are there.
    package init(directory: String) throws(ModelLoadingError) {
        let source = ModelSource.directory(directory)
        try self.init(source: source, configuration: try ModelConfiguration(source: source))
    }

    init(source: ModelSource, configuration: ModelConfiguration) throws(ModelLoadingError) {
        tokenizer = try Tokenizer(source: source)
        vocabularySize = configuration.vocabularySize
        guard tokenizer.count <= vocabularySize else {
            throw ModelLoadingError(
                file: source.path(of: "tokenizer.json"),
                problem: "has tokens up to \(tokenizer.count - 1)",
                expected: "all below config.json's vocab_size, \(vocabularySize)"
            )
        }
        chatFormat = try ChatFormat(source: source, tokenizer: tokenizer, begin: configuration.beginToken)
        var ends = Set(configuration.endTokens)
        if let end = chatFormat.endOfTurn { ends.insert(end) }
        endTokens = ends
    }

    /// Encodes what a query asks to continue.
    ///
    /// Text gets the tokenizer's prefix tokens, and special tokens written in it count as such; a conversation is laid out
    /// by `ChatFormat`; tokens are taken as they are.
    package func tokens(of input: PromptInput) throws(Status) -> [Int32] {
        let tokens: [Int32]
        switch input {
        case .text(let text):
            guard !text.isEmpty else { throw Self.emptyPrompt }
            tokens = tokenizer.prefixTokens + tokenizer.encode(text, addedTokens: .all)
        case .chat(let messages):
            guard !messages.isEmpty else { throw Self.emptyPrompt }
            for message in messages where !["system", "user", "assistant"].contains(message.role) {
                throw Status(.invalidArgument, .malformed, "a message's role must be system, user or assistant")
            }
            tokens = chatFormat.encode(messages.map { ($0.role, $0.content) }, tokenizer: tokenizer)
        case .tokens(let given):
            tokens = given
            try validate(tokens: given, of: "the prompt")
        }
        guard !tokens.isEmpty else { throw Self.emptyPrompt }
        return tokens
    }

    package func validate(tokens: [Int32], of part: String) throws(Status) {
        let vocabulary = vocabularySize
        for (index, token) in tokens.enumerated() where token < 0 || Int(token) >= vocabulary {
            throw Status(
                .invalidArgument,
                .malformed,
                "token \(index) of \(part) is not in the vocabulary, which has 0 to \(vocabulary - 1)"
            )
        }
    }

    private static var emptyPrompt: Status {
        Status(.invalidArgument, .emptyPrompt, "the prompt is empty")
    }
}
