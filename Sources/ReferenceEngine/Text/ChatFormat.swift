/// How a conversation becomes a prompt.
///
/// Templates are Jinja programs; instead of running one, the family is recognised from what `chat_template` contains or,
/// without one, from the special tokens of the vocabulary:
///
/// - ChatML (Qwen2, SmolLM2, aladdin-tiny), by `<|im_start|>`:
///   `<|im_start|>role⏎content<|im_end|>⏎ … <|im_start|>assistant⏎`
/// - Llama 3, by `<|start_header_id|>`:
///   `<|begin_of_text|><|start_header_id|>role<|end_header_id|>⏎⏎content<|eot_id|> … ` with contents trimmed.
/// - plain, for all others: `role: content⏎ … assistant:`
///
/// Defaults that a template adds by itself, such as Qwen's system message or Llama 3.1's date, are not added. What users
/// write is encoded without special tokens: `<|im_end|>` in a message is ten characters of text.
enum ChatFormat: Equatable {
    case chatML(start: Int32, end: Int32, begin: Int32?)
    case llama3(begin: Int32?, headerStart: Int32, headerEnd: Int32, end: Int32)
    case plain(begin: Int32?)

    static let knownSpecialTokens = [
        "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    ]

    /// Recognises the family by `template`, or by the vocabulary where that is nil; `begin`, the model's
    /// beginning-of-sequence token, is used where the template mentions `bos_token`.
    init(template: String?, tokenizer: Tokenizer, begin: Int32?) {
        let beginToken = template?.contains("bos_token") ?? false ? begin : nil
        let isLlama3 = template?.contains("<|start_header_id|>") ?? true
        let isChatML = template?.contains("<|im_start|>") ?? true
        if isChatML, let start = tokenizer.token(named: "<|im_start|>"),
            let end = tokenizer.token(named: "<|im_end|>")
        {
            self = .chatML(start: start, end: end, begin: beginToken)
        } else if isLlama3, let start = tokenizer.token(named: "<|start_header_id|>"),
            let headerEnd = tokenizer.token(named: "<|end_header_id|>"),
            let end = tokenizer.token(named: "<|eot_id|>")
        {
            let begin = tokenizer.token(named: "<|begin_of_text|>")
            self = .llama3(begin: begin, headerStart: start, headerEnd: headerEnd, end: end)
        } else {
            self = .plain(begin: tokenizer.prefixTokens.first)
        }
    }

    /// The token that ends a turn, and so an answer.
    var endOfTurn: Int32? {
        switch self {
        case .chatML(_, let end, _), .llama3(_, _, _, let end): end
        case .plain: nil
        }
    }

    /// The prompt's tokens, up to where the assistant begins to speak.
    func encode(_ messages: [(role: String, content: String)], tokenizer: Tokenizer) -> [Int32] {
        func text(_ text: String) -> [Int32] {
            tokenizer.encode(text, addedTokens: .ordinaryOnly)
        }
        switch self {
        case .chatML(let start, let end, let begin):
            var tokens = begin.map { [$0] } ?? []
            for message in messages {
                tokens += [start] + text("\(message.role)\n\(message.content)") + [end] + text("\n")
            }
            return tokens + [start] + text("assistant\n")
        case .llama3(let begin, let headerStart, let headerEnd, let end):
            var tokens = begin.map { [$0] } ?? []
            for message in messages {
                tokens += [headerStart] + text(message.role) + [headerEnd]
                tokens += text("\n\n" + Self.trim(message.content)) + [end]
            }
            return tokens + [headerStart] + text("assistant") + [headerEnd] + text("\n\n")
        case .plain(let begin):
            let lines = messages.map { "\($0.role): \($0.content)\n" }
            return (begin.map { [$0] } ?? []) + text(lines.joined() + "assistant:")
        }
    }

    private static func trim(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}

extension ChatFormat {
    /// Reads the template from `tokenizer_config.json` or `chat_template.jinja`; neither need be there.
    init(source: ModelSource, tokenizer: Tokenizer, begin: Int32?) throws(ModelLoadingError) {
        var template: String?
        var beginToken = begin
        if let file = try source.file("tokenizer_config.json") {
            let fields = try file.decodeJSON(TokenizerConfigurationFile.self)
            template = fields.chat_template?.text
            beginToken = fields.bos_token.flatMap { tokenizer.token(named: $0.content) } ?? begin
        }
        if template == nil, let file = try source.file("chat_template.jinja") {
            template = String(decoding: file.bytes, as: UTF8.self)
        }
        self.init(template: template, tokenizer: tokenizer, begin: beginToken)
    }
}
