internal import Foundation
internal import Hummingbird
internal import Testing

@testable internal import GatewayService

@Suite("Writing JSON")
struct JSONWriterTests {
    @Test("puts commas between fields and values, at every depth")
    func commas() {
        var json = JSONWriter()
        json.object { json in
            json.field("a", 1)
            json.field("b", nil as String?)
            json.field("c")
            json.array { json in
                json.value("x")
                json.object { $0.field("d", -2) }
                json.array { _ in }
                json.null()
            }
            json.field("e", "y")
        }
        #expect(String(buffer: json.buffer) == #"{"a":1,"b":null,"c":["x",{"d":-2},[],null],"e":"y"}"#)
    }

    @Test(
        "escapes what JSON and server-sent events need escaped, and nothing else",
        arguments: [
            "", "plain", "\"\\/", "a\nb\rc\td", "\u{0}\u{1}\u{1F}\u{7F}", "h\u{E9} \u{1F600} \u{2028}", "\"", "end\n",
        ]
    )
    func strings(text: String) throws {
        var buffer = ByteBuffer()
        JSONWriter.write(text, to: &buffer)
        let written = String(buffer: buffer)
        #expect(!written.contains("\n") && !written.contains("\r"))
        #expect(try JSONDecoder().decode([String].self, from: Data("[\(written)]".utf8)) == [text])
    }
}
