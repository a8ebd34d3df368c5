internal import ServingModel

/// One message of a chat request: who says it, and text, whole or in parts.
struct ChatMessageBody: Decodable, Sendable {
    /// What is wrong with a message, and in which of its fields.
    struct Fault: Error {
        var field: String?
        var problem: String
    }

    private enum Key: String, CodingKey {
        case role, content
        case toolCalls = "tool_calls"
    }

    private struct Part: Decodable {
        var type: String
        var text: String?
    }

    var message: ChatMessage

    init(_ message: ChatMessage) {
        self.message = message
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard let role = try? container.decode(String.self, forKey: .role) else {
            throw Fault(field: "role", problem: "must be a string")
        }
        if container.contains(.toolCalls), (try? container.decodeNil(forKey: .toolCalls)) != true {
            throw Fault(field: "tool_calls", problem: "is not supported: the service has no tools")
        }
        message = ChatMessage(role: try Self.knownRole(role), content: try Self.content(in: container))
    }

    private static func knownRole(_ role: String) throws(Fault) -> String {
        switch role {
        case "system", "user", "assistant": return role
        case "developer": return "system"
        default: throw Fault(field: "role", problem: "must be system, developer, user or assistant, not '\(role)'")
        }
    }

    /// A string, or the text parts of an array run together.
    private static func content(in container: KeyedDecodingContainer<Key>) throws(Fault) -> String {
        if let text = try? container.decode(String.self, forKey: .content) { return text }
        guard let parts = try? container.decode([Part].self, forKey: .content), !parts.isEmpty else {
            throw Fault(field: "content", problem: "must be a string or an array of text parts")
        }
        var text = ""
        for (index, part) in parts.enumerated() {
            guard part.type == "text" else {
                throw Fault(field: "content[\(index)].type", problem: "must be text; '\(part.type)' is not supported")
            }
            guard let piece = part.text else {
                throw Fault(field: "content[\(index)].text", problem: "must be a string")
            }
            text += piece
        }
        return text
    }
}
