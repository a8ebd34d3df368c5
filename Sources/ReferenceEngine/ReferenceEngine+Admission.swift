internal import EngineInterface
internal import ServingModel

extension ReferenceEngine {
    /// Encodes what a query asks to continue.
    ///
    /// Text gets the tokenizer's prefix tokens, and special tokens written in it count as such; a conversation is laid out
    /// by `ChatFormat`; tokens are taken as they are.
    func tokens(of input: PromptInput) throws(Status) -> [Int32] {
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

    func validate(_ request: SequenceRequest, promptCount: Int) throws(Status) {
        let context = description.contextLength
        guard promptCount < context else {
            throw Status(
                .invalidArgument,
                .promptTooLong,
                "the prompt has \(promptCount) tokens; the context of \(context) must also hold one of output"
            )
        }
        let resumed = request.resumedTokens.count
        guard request.maxTokens >= 1, request.maxTokens <= context - promptCount else {
            throw Status(
                .invalidArgument,
                .maxTokensOutOfRange,
                "max_tokens is \(request.maxTokens); after \(promptCount) prompt tokens the context of \(context) leaves "
                    + "1 to \(context - promptCount)"
            )
        }
        guard resumed < request.maxTokens else {
            throw Status(
                .invalidArgument,
                .maxTokensOutOfRange,
                "max_tokens is \(request.maxTokens), and \(resumed) tokens of output are there already"
            )
        }
        try validate(tokens: request.resumedTokens, of: "the resumed output")
    }

    private func validate(tokens: [Int32], of part: String) throws(Status) {
        let vocabulary = transformer.configuration.vocabularySize
        for (index, token) in tokens.enumerated() where token < 0 || Int(token) >= vocabulary {
            throw Status(
                .invalidArgument,
                .malformed,
                "token \(index) of \(part) is not in the vocabulary, which has 0 to \(vocabulary - 1)"
            )
        }
    }

    static func validate(_ sampling: Sampling) throws(Status) {
        guard sampling.temperature.isFinite, sampling.temperature >= 0 else {
            throw Status(.invalidArgument, .invalidSampling, "temperature must be a number of at least 0")
        }
        guard sampling.topP > 0, sampling.topP <= 1 else {
            throw Status(.invalidArgument, .invalidSampling, "top_p must be above 0 and at most 1")
        }
        guard sampling.topK >= 0 else {
            throw Status(.invalidArgument, .invalidSampling, "top_k must be at least 0")
        }
        guard !sampling.stop.contains("") else {
            throw Status(.invalidArgument, .invalidSampling, "a stop string must not be empty")
        }
    }

    private static var emptyPrompt: Status {
        Status(.invalidArgument, .emptyPrompt, "the prompt is empty")
    }
}
