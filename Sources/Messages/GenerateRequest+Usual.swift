internal import ServingModel

/// Requests as most clients send them, read straight from their bytes: a text or a chat, sampling without stops.
///
/// What is not of that form, be it wrong or merely rare, is left to protobuf-c, which has the last word on what is valid.
extension GenerateRequest {
    /// More may be meant to take up memory, which protobuf-c's is bounded for.
    private static let mostEntries = 64

    /// - Returns: nil for anything but a request of the usual form.
    init?(usual bytes: UnsafeRawBufferPointer) {
        var wire = WireCursor(bytes)
        var seen = FieldsSeen()
        var input: PromptInput?
        self.init(input: .text(""), maxTokens: 0)
        while let tag = wire.tag() {
            switch tag {
            case 0x0A:
                guard seen.first(1), let text = wire.piece()?.text() else { return nil }
                model = text
            case 0x12:
                guard input == nil, let text = wire.piece()?.text() else { return nil }
                input = .text(text)
            case 0x1A:
                guard input == nil, let chat = wire.piece(), let messages = Self.messages(chat) else { return nil }
                input = .chat(messages)
            case 0x28:
                guard seen.first(5), let number = wire.number(atMost: UInt64(UInt32.max)) else { return nil }
                maxTokens = Int(number)
            case 0x32:
                guard seen.first(6), let piece = wire.piece(), let sampling = Sampling(piece) else { return nil }
                self.sampling = sampling
            case 0x3A:
                guard metadata.count < Self.mostEntries, let piece = wire.piece(), let entry = MetadataEntry(piece)
                else { return nil }
                metadata.append(entry)
            default: return nil
            }
        }
        guard wire.isAtEnd, let input else { return nil }
        self.input = input
    }
}

extension Sampling {
    fileprivate init?(_ piece: WireCursor) {
        var wire = piece
        var seen = FieldsSeen()
        self.init()
        while let tag = wire.tag() {
            guard seen.first(Int(tag >> 3)) else { return nil }
            switch tag {
            case 0x09:
                guard let number = wire.double(), number.isFinite else { return nil }
                temperature = number
            case 0x11:
                guard let number = wire.double(), number.isFinite else { return nil }
                // 0 is what a client sends that doesn't set it.
                topP = number == 0 ? 1 : number
            case 0x18:
                guard let number = wire.number(atMost: UInt64(UInt32.max)) else { return nil }
                topK = Int(number)
            case 0x22:
                guard var piece = wire.piece() else { return nil }
                var value: UInt64 = 0
                if !piece.isAtEnd {
                    guard piece.tag() == 0x08, let number = piece.number(), piece.isAtEnd else { return nil }
                    value = number
                }
                seed = value
            default: return nil
            }
        }
        guard wire.isAtEnd else { return nil }
    }
}

extension MetadataEntry {
    fileprivate init?(_ piece: WireCursor) {
        var wire = piece
        var seen = FieldsSeen()
        self.init("", "")
        while let tag = wire.tag() {
            guard seen.first(Int(tag >> 3)), let text = wire.piece()?.text() else { return nil }
            switch tag {
            case 0x0A: key = text
            case 0x12: value = text
            default: return nil
            }
        }
        guard wire.isAtEnd else { return nil }
    }
}
