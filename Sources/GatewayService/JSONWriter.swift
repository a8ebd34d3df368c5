internal import Hummingbird
internal import JSON

/// Writes JSON straight into a buffer: no intermediate values, commas put where they belong.
struct JSONWriter {
    private(set) var buffer = ByteBuffer()
    private var needsComma = false

    init(buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try nested("{", "}", body)
    }

    mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try nested("[", "]", body)
    }

    /// A field's name; its value has to follow.
    mutating func field(_ name: StaticString) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
        needsComma = false
    }

    mutating func field(_ name: StaticString, _ value: String?) {
        field(name)
        if let value { self.value(value) } else { null() }
    }

    mutating func field(_ name: StaticString, _ value: Int) {
        field(name)
        self.value(value)
    }

    mutating func value(_ value: Int) {
        separate()
        buffer.writeString(String(value))
    }

    mutating func null() {
        separate()
        buffer.writeStaticString("null")
    }

    mutating func value(_ value: String) {
        separate()
        Self.write(value, to: &buffer)
    }

    private mutating func nested(
        _ open: StaticString,
        _ close: StaticString,
        _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        separate()
        buffer.writeStaticString(open)
        needsComma = false
        try body(&self)
        buffer.writeStaticString(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Writes a string with its quotes; runs of bytes that need no escape are copied whole.
    static func write(_ value: String, to buffer: inout ByteBuffer) {
        var value = value
        buffer.writeInteger(UInt8(ascii: "\""))
        value.withUTF8 { characters in
            let bytes = UnsafeRawBufferPointer(characters)
            var start = 0
            while true {
                let end = PlainText.end(in: bytes, from: start)
                buffer.writeBytes(bytes[start..<end])
                guard end < bytes.count else { break }
                writeEscape(of: bytes[end], to: &buffer)
                start = end + 1
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    private static func writeEscape(of byte: UInt8, to buffer: inout ByteBuffer) {
        switch byte {
        case 0x22: buffer.writeStaticString("\\\"")
        case 0x5C: buffer.writeStaticString("\\\\")
        case 0x0A: buffer.writeStaticString("\\n")
        case 0x0D: buffer.writeStaticString("\\r")
        case 0x09: buffer.writeStaticString("\\t")
        default:
            buffer.writeStaticString("\\u00")
            for nibble in [byte >> 4, byte & 0xF] {
                buffer.writeInteger(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
            }
        }
    }
}
