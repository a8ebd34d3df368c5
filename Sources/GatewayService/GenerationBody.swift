/// The JSON body of a completion request: the fields that are understood, with the right types, not yet their values.
///
/// Fields that nobody here knows are ignored, since OpenAI's clients send new ones; known fields of the wrong type
/// are errors that name the field.
struct GenerationBody: Decodable, Sendable {
    enum Key: String, CodingKey, CaseIterable {
        case model, messages, prompt, temperature, seed, stop, n, stream, logprobs, echo, suffix, tools, functions
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
        case topP = "top_p"
        case topK = "top_k"
        case streamOptions = "stream_options"
        case topLogprobs = "top_logprobs"
        case bestOf = "best_of"
        case presencePenalty = "presence_penalty"
        case frequencyPenalty = "frequency_penalty"
        case logitBias = "logit_bias"
        case responseFormat = "response_format"
        case modalities
    }

    /// A seed is any 64-bit number, signed or not.
    struct Seed: Decodable, Sendable {
        var value: UInt64

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let unsigned = try? container.decode(UInt64.self) {
                value = unsigned
            } else {
                value = UInt64(bitPattern: try container.decode(Int64.self))
            }
        }
    }

    var model: String?
    var messages: [ChatMessageBody]?
    var prompt: PromptBody?
    var maxTokens: Int?
    var temperature: Double?
    var topP: Double?
    var topK: Int?
    var seed: UInt64?
    var stop: [String] = []
    var stream = false
    var includeUsage: Bool?

    /// A body without fields.
    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        try UnsupportedFields.check(container)
        model = try container.field(.model, "a string", as: String.self)
        messages = try container.messages()
        prompt = try container.field(.prompt, PromptBody.expected, as: PromptBody.self)
        let maxTokens = try container.field(.maxTokens, "a whole number", as: Int.self)
        self.maxTokens = try container.field(.maxCompletionTokens, "a whole number", as: Int.self) ?? maxTokens
        temperature = try container.field(.temperature, "a number", as: Double.self)
        topP = try container.field(.topP, "a number", as: Double.self)
        topK = try container.field(.topK, "a whole number", as: Int.self)
        seed = try container.field(.seed, "a whole number of 64 bits", as: Seed.self)?.value
        stop = try container.stop()
        stream = try container.field(.stream, "true or false", as: Bool.self) ?? false
        includeUsage = try container.includeUsage()
    }
}

extension KeyedDecodingContainer<GenerationBody.Key> {
    /// The value of a field; nil if it is absent or null.
    ///
    /// - Throws: an `APIError` that names the field and what it must be.
    func field<Value: Decodable>(_ key: Key, _ expected: String, as type: Value.Type) throws -> Value? {
        do {
            return try decodeIfPresent(type, forKey: key)
        } catch let error as APIError {
            throw error
        } catch {
            // Mostly a `DecodingError`; numbers that don't fit come as an error private to the decoder.
            throw APIError.invalidRequest("'\(key.rawValue)' must be \(expected).", param: key.rawValue)
        }
    }

    /// The conversation; the position of a wrong message is part of the error's `param`.
    fileprivate func messages() throws -> [ChatMessageBody]? {
        guard contains(.messages), try !decodeNil(forKey: .messages) else { return nil }
        guard var list = try? nestedUnkeyedContainer(forKey: .messages) else {
            throw APIError.invalidRequest("'messages' must be an array of messages.", param: "messages")
        }
        var messages: [ChatMessageBody] = []
        while !list.isAtEnd {
            let param = "messages[\(list.currentIndex)]"
            do {
                messages.append(try list.decode(ChatMessageBody.self))
            } catch let fault as ChatMessageBody.Fault {
                let path = fault.field.map { "\(param).\($0)" } ?? param
                throw APIError.invalidRequest("'\(path)' \(fault.problem).", param: path)
            } catch {
                throw APIError.invalidRequest("'\(param)' must be an object with role and content.", param: param)
            }
        }
        return messages
    }

    /// One stop string or several.
    fileprivate func stop() throws -> [String] {
        if let one = try? decodeIfPresent(String.self, forKey: .stop) { return [one] }
        return try field(.stop, "a string or an array of strings", as: [String].self) ?? []
    }

    private struct StreamOptions: Decodable {
        var includeUsage: Bool?

        enum CodingKeys: String, CodingKey {
            case includeUsage = "include_usage"
        }
    }

    /// Nil if there are no stream options at all.
    fileprivate func includeUsage() throws -> Bool? {
        let expected = "an object whose include_usage is true or false"
        let options = try field(.streamOptions, expected, as: StreamOptions.self)
        return options.map { $0.includeUsage ?? false }
    }
}
