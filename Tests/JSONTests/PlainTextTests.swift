import JSON
import Testing

@Suite("Where plain text ends")
struct PlainTextTests {
    /// One byte at a time.
    private func end(in bytes: [UInt8], from start: Int) -> Int {
        bytes[start...].firstIndex { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C } ?? bytes.count
    }

    @Test("A byte that ends it is found wherever it lies, and no other is taken for one")
    func everyPlace() {
        for length in [0, 1, 7, 8, 63, 64, 65, 127, 128, 200] {
            for byte in [0x00, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x7F, 0x80, 0x9F, 0xA0, 0xFF] as [UInt8]
            {
                for place in 0..<length {
                    var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    bytes[place] = byte
                    for start in [0, 1, place] where start <= length {
                        let found = bytes.withUnsafeBytes { PlainText.end(in: $0, from: start) }
                        #expect(found == end(in: bytes, from: start), "\(byte) at \(place) of \(length) from \(start)")
                    }
                }
            }
        }
    }
}
