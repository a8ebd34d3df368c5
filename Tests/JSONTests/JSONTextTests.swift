import Foundation
import JSON
import Testing

@Suite("Writing JSON")
struct JSONTextTests {
    @Test("Any string survives: control characters, quotes, backslashes and what is beyond ASCII")
    func strings() throws {
        let controls = String(String.UnicodeScalarView((0..<0x20).compactMap { UnicodeScalar($0) }))
        for string in ["", "plain", #"a "quoted" \ thing"#, controls, "ü🙂\u{7F}\u{2028}", "\"\\", "\n\nend\t"] {
            var text = JSONText()
            text.append("[")
            text.append(quoting: string)
            text.append("]")
            let parsed = try JSONSerialization.jsonObject(with: Data(text.bytes)) as? [String]
            #expect(parsed == [string])
        }
    }
}
