internal import Foundation

/// One event of a streamed completion, as far as anybody here wants to know.
struct CompletionChunk: Decodable {
    struct Choice: Decodable {
        struct Delta: Decodable {
            var content: String?
            /// What reasoning models think aloud, under either of its names; counted but not passed on.
            var reasoning: String?
            var reasoningContent: String?
        }

        var delta: Delta?
        var text: String?
        var finishReason: String?

        var piece: String { delta?.content ?? text ?? "" }
        var isToken: Bool {
            !piece.isEmpty || !(delta?.reasoning ?? "").isEmpty || !(delta?.reasoningContent ?? "").isEmpty
        }
    }

    struct Usage: Decodable {
        struct Details: Decodable {
            var cachedTokens: Int?
        }

        var promptTokens: Int?
        var completionTokens: Int?
        var promptTokensDetails: Details?
    }

    /// llama.cpp's, with every token if it is asked for.
    struct Timings: Decodable {
        var cacheN: Int?
        var promptN: Int?
        var predictedN: Int?
    }

    var choices: [Choice]?
    var usage: Usage?
    var timings: Timings?
    var error: ServerError?

    static func decode(_ data: [UInt8]) throws -> CompletionChunk {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(CompletionChunk.self, from: Data(data))
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
