/// GPT-2's reversible map between bytes and printable characters, in which byte-level vocabularies are written.
///
/// Printable Latin-1 bytes stand for themselves; the other 68 are U+0100 onward in ascending order.
enum ByteAlphabet {
    /// The character of each byte.
    static let scalars: [Unicode.Scalar] = {
        var table: [Unicode.Scalar] = []
        var next: UInt32 = 0x100
        for byte in UInt8.min...UInt8.max {
            if isPrintable(byte) {
                table.append(Unicode.Scalar(byte))
            } else {
                table.append(Unicode.Scalar(next) ?? Unicode.Scalar(byte))
                next += 1
            }
        }
        return table
    }()

    /// The byte of each character below U+0144, nil for those that stand for none.
    private static let bytes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() {
            table[Int(scalar.value)] = UInt8(byte)
        }
        return table
    }()

    /// The bytes that a vocabulary entry stands for; its own UTF-8 if it is not written in the alphabet.
    static func decode(_ entry: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(entry.utf8.count)
        for scalar in entry.unicodeScalars {
            guard scalar.value < 0x144, let byte = bytes[Int(scalar.value)] else { return Array(entry.utf8) }
            result.append(byte)
        }
        return result
    }

    private static func isPrintable(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
    }
}
