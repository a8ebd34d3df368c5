/// Known fields of OpenAI's interface that would change the answer and that nobody here can honour.
///
/// Their neutral values are fine; anything else is refused rather than quietly left out.
enum UnsupportedFields {
    typealias Container = KeyedDecodingContainer<GenerationBody.Key>

    private struct ResponseFormat: Decodable {
        var type: String
    }

    /// Any array or object; only its being empty matters.
    private struct Collection: Decodable {
        var isEmpty: Bool

        private struct AnyKey: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }

            init(stringValue: String) {
                self.stringValue = stringValue
            }

            init?(intValue: Int) {
                nil
            }
        }

        init(from decoder: any Decoder) throws {
            if let list = try? decoder.unkeyedContainer() {
                isEmpty = list.isAtEnd
            } else {
                isEmpty = try decoder.container(keyedBy: AnyKey.self).allKeys.isEmpty
            }
        }
    }

    static func check(_ container: Container) throws {
        for key in [GenerationBody.Key.n, .bestOf] {
            guard let count = try container.field(key, "a whole number", as: Int.self), count != 1 else { continue }
            throw refusal(key, "must be 1: one choice is generated for a request")
        }
        for key in [GenerationBody.Key.presencePenalty, .frequencyPenalty] {
            guard let penalty = try container.field(key, "a number", as: Double.self), penalty != 0 else { continue }
            throw refusal(key, "must be 0: penalties are not supported")
        }
        for key in [GenerationBody.Key.tools, .functions, .logitBias] {
            let expected = "an array or an object"
            guard let list = try container.field(key, expected, as: Collection.self), !list.isEmpty else { continue }
            throw refusal(key, "is not supported")
        }
        if try container.field(.echo, "true or false", as: Bool.self) == true {
            throw refusal(.echo, "is not supported")
        }
        if let suffix = try container.field(.suffix, "a string", as: String.self), !suffix.isEmpty {
            throw refusal(.suffix, "is not supported")
        }
        if let modalities = try container.field(.modalities, "an array of strings", as: [String].self),
            modalities != ["text"]
        {
            throw refusal(.modalities, "may only be [\"text\"]")
        }
        let format = try container.field(.responseFormat, "an object with a type", as: ResponseFormat.self)
        if let format, format.type != "text" {
            throw refusal(.responseFormat, "may only be of type text, not '\(format.type)'")
        }
        try checkLogprobs(container)
    }

    /// A boolean in chats, a number in text completions.
    private static func checkLogprobs(_ container: Container) throws {
        if let count = try container.field(.topLogprobs, "a whole number", as: Int.self), count != 0 {
            throw refusal(.topLogprobs, "is not supported")
        }
        if let wanted = try? container.decodeIfPresent(Bool.self, forKey: .logprobs) {
            if wanted { throw refusal(.logprobs, "is not supported") }
        } else if try container.field(.logprobs, "true, false or a whole number", as: Int.self) != nil {
            throw refusal(.logprobs, "is not supported")
        }
    }

    private static func refusal(_ key: GenerationBody.Key, _ problem: String) -> APIError {
        .invalidRequest("'\(key.rawValue)' \(problem).", param: key.rawValue, code: "unsupported")
    }
}
