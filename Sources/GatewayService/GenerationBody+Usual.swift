internal import JSON
internal import ServingModel

extension GenerationBody {
    /// Reads a body such as most are, in one pass: fields of the right types, none twice, none that would be refused.
    ///
    /// - Returns: nil for any other body. The decoder can read those that are fine, and knows what to say of the rest.
    init?(usual bytes: [UInt8]) {
        var reader = JSONReader(bytes)
        var body = Self()
        do {
            let isObject = try reader.object { name, reader throws(JSONReader.Unreadable) in
                try body.read(name, &reader)
            }
            try reader.end()
            guard isObject else { return nil }
        } catch {
            return nil
        }
        self = body
    }

    private mutating func read(_ name: JSONReader.Name, _ reader: inout JSONReader) throws(JSONReader.Unreadable) {
        switch name {
        case "model": try Self.set(&model, try reader.string())
        case "messages": try Self.set(&messages, try Self.messages(&reader))
        case "prompt": try Self.set(&prompt, try reader.string().map { PromptBody(.text($0)) })
        case "max_tokens", "max_completion_tokens": try Self.set(&maxTokens, try reader.integer())
        case "temperature": try Self.set(&temperature, try reader.number())
        case "top_p": try Self.set(&topP, try reader.number())
        case "top_k": try Self.set(&topK, try reader.integer())
        case "seed": try Self.set(&seed, try reader.integer().map { UInt64(bitPattern: Int64($0)) })
        case "stream": if try reader.boolean() == true { stream = true }
        case "stream_options": try Self.set(&includeUsage, try Self.includeUsage(&reader))
        case "n": guard try reader.integer() ?? 1 == 1 else { throw JSONReader.Unreadable() }
        default:
            // What else has a meaning is rare.
            guard !Key.allCases.contains(where: { name == $0.rawValue }) else { throw JSONReader.Unreadable() }
            try reader.skip()
        }
    }

    private static func set<Value>(_ field: inout Value?, _ value: Value?) throws(JSONReader.Unreadable) {
        guard field == nil else { throw JSONReader.Unreadable() }
        field = value
    }

    private static func messages(_ reader: inout JSONReader) throws(JSONReader.Unreadable) -> [ChatMessageBody]? {
        var messages: [ChatMessageBody] = []
        let isThere = try reader.array { reader throws(JSONReader.Unreadable) in
            var role: String?
            var content: String?
            try reader.object { name, reader throws(JSONReader.Unreadable) in
                switch name {
                case "role": try set(&role, try reader.string())
                case "content": try set(&content, try reader.string())
                case "tool_calls": throw JSONReader.Unreadable()
                default: try reader.skip()
                }
            }
            guard let role, let content, ["system", "user", "assistant"].contains(role) else {
                throw JSONReader.Unreadable()
            }
            messages.append(ChatMessageBody(ChatMessage(role: role, content: content)))
        }
        return isThere ? messages : nil
    }

    /// Nil for null; false where the options don't say.
    private static func includeUsage(_ reader: inout JSONReader) throws(JSONReader.Unreadable) -> Bool? {
        var includesUsage: Bool?
        let isThere = try reader.object { name, reader throws(JSONReader.Unreadable) in
            if case "include_usage" = name {
                try set(&includesUsage, try reader.boolean())
            } else {
                try reader.skip()
            }
        }
        return isThere ? includesUsage ?? false : nil
    }
}
