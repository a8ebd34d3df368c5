import Foundation
import JSON
import Testing

@Suite("Reading JSON")
struct JSONReaderTests {
    private func strings(_ text: String) -> [String]? {
        var reader = JSONReader(Array(text.utf8))
        var strings: [String] = []
        do {
            try reader.array { reader throws(JSONReader.Unreadable) in
                guard let string = try reader.string() else { throw JSONReader.Unreadable() }
                strings.append(string)
            }
            try reader.end()
        } catch {
            return nil
        }
        return strings
    }

    @Test(
        "Strings are read as the decoder reads them, or not at all",
        arguments: [
            #"["", "a", "longer than eight bytes", "\n\t\"\\\/\b\f\r", "\u00e9\ud83d\ude42 and plain text behind it"]"#,
            #"["\"", "\\", "exactly8", "exactly8\\", "\u0000", "ü🙂 ünïcode that is long enough"]"#,
            #"["never closed"#, #"["\"]"#, #"["\x"]"#, #"["\ud800"]"#, #"["\u12"]"#, "[\"a\nb\"]",
            "[\"12345678\u{1F}\"]",
            #"["a" "b"]"#, #"["a"]x"#, "[", "", #"["\"#,
        ]
    )
    func strings(text: String) {
        #expect(strings(text) == (try? JSONDecoder().decode([String].self, from: Data(text.utf8))))
    }

    @Test("Numbers and truths are told from what only looks like them")
    func scalars() throws {
        func read<Value>(_ text: String, _ body: (inout JSONReader) throws -> Value?) -> Value? {
            var reader = JSONReader(Array(text.utf8))
            guard let value = try? body(&reader), (try? reader.end()) != nil else { return nil }
            return value
        }
        #expect(read(" -12 ") { try $0.integer() } == -12 && read("3.0") { try $0.integer() } == 3)
        #expect(read("3.5") { try $0.integer() } == nil && read("01") { try $0.integer() } == nil)
        #expect(read("9223372036854775808") { try $0.integer() } == nil)
        #expect(read("2.5e-1") { try $0.number() } == 0.25 && read("1e999") { try $0.number() } == nil)
        #expect(read("-") { try $0.number() } == nil && read("nan") { try $0.number() } == nil)
        #expect(read("true") { try $0.boolean() } == true && read("false") { try $0.boolean() } == false)
        #expect(read("tru") { try $0.boolean() } == nil && read("falsehood") { try $0.boolean() } == nil)
    }

    @Test("Plain text ends at the first byte that is not, wherever it stands")
    func plainText() {
        for length in 0..<40 {
            for special in [0x00, 0x1F, 0x22, 0x5C] as [UInt8] {
                for place in 0...length {
                    var bytes = (0..<length).map { $0 % 3 == 0 ? 0xC3 : 0x61 + UInt8($0 % 26) }
                    if place < length { bytes[place] = special }
                    for start in [0, place / 2, place] {
                        #expect(bytes.withUnsafeBytes { PlainText.end(in: $0, from: start) } == place)
                    }
                }
            }
        }
    }
}
