import Foundation
import JSON
import Testing

@Suite("Writing JSON")
struct JSONTextTests {
    @Test("Any string survives: control characters, quotes, backslashes and what is beyond ASCII")
    func strings() throws {
        try strings(long: 0)
        // Long text is looked at in larger pieces.
        for length in [60, 63, 64, 65, 200] { try strings(long: length) }
    }

    private func strings(long length: Int) throws {
        let controls = String(String.UnicodeScalarView((0..<0x20).compactMap { UnicodeScalar($0) }))
        for string in ["", "plain", #"a "quoted" \ thing"#, controls, "ü🙂\u{7F}\u{2028}", "\"\\", "\n\nend\t"] {
            let filling = String(repeating: "ä", count: length)
            let string = filling + string + filling
            var text = JSONText()
            text.append("[")
            text.append(quoting: string)
            text.append("]")
            let parsed = try JSONSerialization.jsonObject(with: Data(text.bytes)) as? [String]
            #expect(parsed == [string])
        }
    }
}
