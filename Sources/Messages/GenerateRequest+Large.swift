internal import ServingModel

/// Large prompts, which protobuf-c would copy once more on either side: its structures are made of the rest alone.
///
/// What is written is the same byte for byte, and what is read the same value: anything unusual is left to protobuf-c.
extension GenerateRequest {
    private static let textTag: UInt8 = 0x12
    private static let chatTag: UInt8 = 0x1A
    private static let roleTag: UInt8 = 0x0A
    private static let contentTag: UInt8 = 0x12
    private static let largeBytes = 4 << 10
    /// What has more may be meant to take up memory, which protobuf-c's is bounded for.
    private static let mostMessages = 1024

    package func encode() -> [UInt8] {
        guard input.byteCount >= Self.largeBytes else { return packed() }
        var rest = self
        rest.model = ""
        rest.input = .text("")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(input.byteCount + 1024)
        if !model.isEmpty { bytes.appendWire(0x0A, bytes: model.utf8) }
        switch input {
        case .text(let text):
            guard !text.hasNUL, !model.hasNUL else { return packed() }
            bytes.appendWire(Self.textTag, bytes: text.utf8)
        case .chat(let messages):
            guard !messages.contains(where: { $0.content.hasNUL || $0.role.hasNUL }), !model.hasNUL else {
                return packed()
            }
            bytes.append(Self.chatTag)
            bytes.appendWire(UInt64(messages.reduce(0) { $0 + [UInt8].wireSize(ofBytes: $1.wireSize) }))
            for message in messages {
                bytes.append(0x0A)
                bytes.appendWire(UInt64(message.wireSize))
                if !message.role.isEmpty { bytes.appendWire(Self.roleTag, bytes: message.role.utf8) }
                if !message.content.isEmpty { bytes.appendWire(Self.contentTag, bytes: message.content.utf8) }
            }
        case .tokens: return packed()
        }
        // Behind an empty text, which takes two bytes.
        bytes += rest.packed().dropFirst(2)
        return bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> GenerateRequest {
        if let usual = bytes.withUnsafeBytes({ GenerateRequest(usual: $0) }) { return usual }
        guard bytes.count >= largeBytes, let (input, rest) = split(bytes) else { return try unpacked(bytes) }
        var request = try unpacked(rest)
        request.input = input
        return request
    }

    /// Takes the input out of a request, and puts an empty text in its place.
    private static func split(_ bytes: [UInt8]) -> (input: PromptInput, rest: [UInt8])? {
        bytes.withUnsafeBytes { bytes in
            var wire = WireCursor(bytes)
            var input: PromptInput?
            var rest: [UInt8] = []
            while let tag = wire.tag() {
                switch tag {
                case textTag, chatTag:
                    guard input == nil, let piece = wire.piece() else { return nil }
                    input = tag == textTag ? piece.text().map { .text($0) } : messages(piece).map { .chat($0) }
                    guard input != nil else { return nil }
                    rest += [textTag, 0]
                case 0x0A, 0x32, 0x3A:
                    guard let piece = wire.piece() else { return nil }
                    rest.appendWire(tag, bytes: piece.all)
                case 0x28:
                    guard let number = wire.number() else { return nil }
                    rest.appendWire(tag, number)
                default: return nil
                }
            }
            guard wire.isAtEnd, let input else { return nil }
            return (input, rest)
        }
    }

    static func messages(_ chat: WireCursor) -> [ChatMessage]? {
        var wire = chat
        var messages: [ChatMessage] = []
        while let tag = wire.tag() {
            guard tag == 0x0A, messages.count < mostMessages, var piece = wire.piece() else { return nil }
            var seen = FieldsSeen()
            var message = ChatMessage(role: "", content: "")
            while let tag = piece.tag() {
                guard let text = piece.piece()?.text() else { return nil }
                switch tag {
                case roleTag where seen.first(1): message.role = text
                case contentTag where seen.first(2): message.content = text
                default: return nil
                }
            }
            guard piece.isAtEnd else { return nil }
            messages.append(message)
        }
        return wire.isAtEnd ? messages : nil
    }
}
