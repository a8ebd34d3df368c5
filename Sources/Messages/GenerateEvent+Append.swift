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
        guard firstIndex >= 0, firstIndex <= UInt32.max, count >= 0, count <= UInt32.max,
            !ids.contains(where: { $0 < 0 }),
            !text.contains(0)
        else { return false }
        let idBytes = ids.reduce(0) { $0 + [UInt8].wireSize(UInt64($1)) }
        let size =
            (firstIndex == 0 ? 0 : 1 + [UInt8].wireSize(UInt64(firstIndex)))
            + (count == 0 ? 0 : 1 + [UInt8].wireSize(UInt64(count)))
            + (ids.isEmpty ? 0 : 1 + [UInt8].wireSize(UInt64(idBytes)) + idBytes)
            + (text.isEmpty ? 0 : 1 + [UInt8].wireSize(UInt64(text.count)) + text.count)
        bytes.append(Self.eventTag)
        bytes.appendWire(UInt64(size))
        bytes.appendWire(Self.firstIndexTag, UInt64(firstIndex))
        bytes.appendWire(Self.countTag, UInt64(count))
        if !ids.isEmpty {
            bytes.append(Self.idsTag)
            bytes.appendWire(UInt64(idBytes))
            for id in ids { bytes.appendWire(UInt64(id)) }
        }
        if !text.isEmpty { bytes.appendWire(Self.textTag, bytes: text) }
        return true
    }
}
