extension GenerateEvent {
    /// Adds the body to bytes that are there already.
    ///
    /// Tokens, of which there are more than of everything else together, are written without C structures in between.
    package func append(to bytes: inout [UInt8]) {
        if case .tokens(let tokens) = self, tokens.append(to: &bytes) { return }
        bytes += encode()
    }
}

extension TokensEvent {
    private static let eventTag: UInt8 = 0x1A
    private static let firstIndexTag: UInt8 = 0x08
    private static let countTag: UInt8 = 0x10
    private static let idsTag: UInt8 = 0x1A
    private static let textTag: UInt8 = 0x22

    /// Adds a `GenerateEvent` with these tokens, byte for byte as `encode` makes it.
    ///
    /// - Returns: false, and has added nothing, for what has to be changed on the way: a NUL in the text, a negative number.
    fileprivate func append(to bytes: inout [UInt8]) -> Bool {
        let text = text.utf8
        guard firstIndex >= 0, firstIndex <= UInt32.max, count >= 0, count <= UInt32.max, !ids.contains(where: { $0 < 0 }),
            !text.contains(0)
        else { return false }
        let idBytes = ids.reduce(0) { $0 + Self.size(UInt64($1)) }
        let size =
            (firstIndex == 0 ? 0 : 1 + Self.size(UInt64(firstIndex))) + (count == 0 ? 0 : 1 + Self.size(UInt64(count)))
            + (ids.isEmpty ? 0 : 1 + Self.size(UInt64(idBytes)) + idBytes)
            + (text.isEmpty ? 0 : 1 + Self.size(UInt64(text.count)) + text.count)
        bytes.append(Self.eventTag)
        Self.append(UInt64(size), to: &bytes)
        if firstIndex != 0 {
            bytes.append(Self.firstIndexTag)
            Self.append(UInt64(firstIndex), to: &bytes)
        }
        if count != 0 {
            bytes.append(Self.countTag)
            Self.append(UInt64(count), to: &bytes)
        }
        if !ids.isEmpty {
            bytes.append(Self.idsTag)
            Self.append(UInt64(idBytes), to: &bytes)
            for id in ids { Self.append(UInt64(id), to: &bytes) }
        }
        if !text.isEmpty {
            bytes.append(Self.textTag)
            Self.append(UInt64(text.count), to: &bytes)
            bytes.append(contentsOf: text)
        }
        return true
    }

    /// Bytes of a number in base 128.
    private static func size(_ number: UInt64) -> Int {
        (64 - (number | 1).leadingZeroBitCount + 6) / 7
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
