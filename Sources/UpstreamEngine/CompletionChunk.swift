internal import Foundation
internal import JSON

/// One event of a streamed completion, as far as anybody here wants to know.
struct CompletionChunk {
    struct Choice {
        var content: String?
        /// Of a text completion.
        var text: String?
        /// Whether there is something of what reasoning models think aloud; counted but not passed on.
        var hasReasoning = false
        var finishReason: String?

        var piece: String { content ?? text ?? "" }
        var isToken: Bool { !piece.isEmpty || hasReasoning }
    }

    struct Usage {
        var promptTokens: Int?
        var completionTokens: Int?
        var cachedTokens: Int?
    }

    /// llama.cpp's, with every token if it is asked for.
    struct Timings {
        var cacheN: Int?
        var promptN: Int?
        var predictedN: Int?
    }

    /// The first of the choices, if there are any.
    var choice: Choice?
    var usage: Usage?
    var timings: Timings?
    var error: ServerError?

    /// - Throws: if an event is no JSON, or what is read of it has another type than it should have.
    static func decode(_ data: [UInt8]) throws -> CompletionChunk {
        var reader = JSONReader(data)
        var chunk = CompletionChunk()
        var error: ArraySlice<UInt8>?
        let isObject = try reader.object { name, reader throws(JSONReader.Unreadable) in
            switch name {
            case "choices":
                try reader.array { reader throws(JSONReader.Unreadable) in
                    let choice = try Choice(&reader)
                    if chunk.choice == nil { chunk.choice = choice }
                }
            case "usage": chunk.usage = try Usage(&reader)
            case "timings": chunk.timings = try Timings(&reader)
            case "error":
                guard try !reader.null() else { return }
                let start = reader.position
                try reader.skip()
                error = reader.slice(from: start)
            default: try reader.skip()
            }
        }
        try reader.end()
        guard isObject else { throw JSONReader.Unreadable() }
        if let error { chunk.error = try JSONDecoder().decode(ServerError.self, from: Data(error)) }
        return chunk
    }
}

extension CompletionChunk.Choice {
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Unreadable) {
        var choice = Self()
        let isObject = try reader.object { name, reader throws(JSONReader.Unreadable) in
            switch name {
            case "delta":
                try reader.object { name, reader throws(JSONReader.Unreadable) in
                    switch name {
                    case "content": choice.content = try reader.string()
                    case "reasoning", "reasoning_content":
                        if try reader.string()?.isEmpty == false { choice.hasReasoning = true }
                    default: try reader.skip()
                    }
                }
            case "text": choice.text = try reader.string()
            case "finish_reason": choice.finishReason = try reader.string()
            default: try reader.skip()
            }
        }
        guard isObject else { throw JSONReader.Unreadable() }
        self = choice
    }
}

extension CompletionChunk.Usage {
    /// Nil for null.
    fileprivate init?(_ reader: inout JSONReader) throws(JSONReader.Unreadable) {
        var usage = Self()
        let isThere = try reader.object { name, reader throws(JSONReader.Unreadable) in
            switch name {
            case "prompt_tokens": usage.promptTokens = try reader.integer()
            case "completion_tokens": usage.completionTokens = try reader.integer()
            case "prompt_tokens_details":
                try reader.object { name, reader throws(JSONReader.Unreadable) in
                    if case "cached_tokens" = name {
                        usage.cachedTokens = try reader.integer()
                    } else {
                        try reader.skip()
                    }
                }
            default: try reader.skip()
            }
        }
        guard isThere else { return nil }
        self = usage
    }
}

extension CompletionChunk.Timings {
    /// Nil for null.
    fileprivate init?(_ reader: inout JSONReader) throws(JSONReader.Unreadable) {
        var timings = Self()
        let isThere = try reader.object { name, reader throws(JSONReader.Unreadable) in
            switch name {
            case "cache_n": timings.cacheN = try reader.integer()
            case "prompt_n": timings.promptN = try reader.integer()
            case "predicted_n": timings.predictedN = try reader.integer()
            default: try reader.skip()
            }
        }
        guard isThere else { return nil }
        self = timings
    }
}

/// What a server says when it refuses or fails.
///
/// Its message may quote the request, so it is looked at and thrown away.
struct ServerError: Decodable {
    private enum Key: String, CodingKey {
        case code, message, type
    }

    var code: Int?
    var saysTooLong = false

    init(from decoder: any Decoder) throws {
        // An object with a message in it, or the message alone.
        if let message = try? decoder.singleValueContainer().decode(String.self) {
            saysTooLong = Self.isAboutLength(message)
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        code = try? container.decode(Int.self, forKey: .code)
        let words = [Key.message, .type].compactMap { try? container.decode(String.self, forKey: $0) }
        saysTooLong = words.contains(where: Self.isAboutLength)
    }

    /// The error in an answer that is no stream, if there is one that can be read.
    init?(answer: [UInt8]) {
        struct Wrapped: Decodable {
            var error: ServerError?
        }
        let data = Data(answer)
        let decoder = JSONDecoder()
        if let error = try? decoder.decode(Wrapped.self, from: data).error {
            self = error
        } else if let error = try? decoder.decode(ServerError.self, from: data) {
            self = error
        } else {
            return nil
        }
    }

    /// "maximum context length", "exceed_context_size_error", "input is too long": what servers say of long prompts.
    private static func isAboutLength(_ words: String) -> Bool {
        let words = words.lowercased()
        return ["context length", "context_length", "context size", "context_size", "too long", "`inputs` tokens"]
            .contains { words.contains($0) }
    }
}
