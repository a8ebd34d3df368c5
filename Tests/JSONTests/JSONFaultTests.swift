import JSON
import Testing

@Suite("Finding where JSON breaks")
struct JSONFaultTests {
    @Test(
        "names the line and column of the first byte that can't be there",
        arguments: [
            ("", 1, 1), ("nonsense", 1, 2), (#"{"a": [}"#, 1, 8), ("{\"a\": 1,\n \"b\": NaN}", 2, 7), ("{} x", 1, 4),
            ("{\"a\" 1}", 1, 6), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("\"abc", 1, 5), (#""\x""#, 1, 3), ("-", 1, 2),
            ("01", 1, 2), (#""\u12x4""#, 1, 6),
            ("[1.]", 1, 4), ("[1e]", 1, 4), ("\n\n{'a':1}", 3, 2), (String(repeating: "[", count: 600), 1, 513),
        ]
    )
    func places(text: String, line: Int, column: Int) throws {
        let fault = try #require(JSONFault(in: Array(text.utf8)))
        #expect((fault.line, fault.column) == (line, column))
    }

    @Test(
        "says what would be right there",
        arguments: [
            ("", "a value"), ("{\"a\": x}", "a value"), ("{a: 1}", "a name in quotes"), ("{\"a\" 1}", "':'"),
            ("[1 2]", "',' or ']'"), ("{\"a\": 1", "',' or '}'"), ("\"abc", "a closing quote"), ("tru", "true"),
            ("1.x", "a digit"), ("{} {}", "the end of the text"), (#""\q""#, "one of \"\\/bfnrtu after a backslash"),
        ]
    )
    func expectations(text: String, expected: String) {
        #expect(JSONFault(in: Array(text.utf8))?.expected == expected)
    }

    @Test("Text that is no UTF-8 is named as such, where its string begins")
    func encoding() {
        let fault = JSONFault(in: Array("[\"a\", \"".utf8) + [0xFF] + Array("\"]".utf8))
        #expect(fault?.expected == "text in UTF-8")
        #expect(fault?.column == 8)
    }

    @Test(
        "finds nothing in what is JSON",
        arguments: [
            "{}", " [ ] ", #"{"a":[1,-2.5e+3,true,false,null,"x\"\\\u00e9"],"b":{"c":{}}}"#, "0", "\"\"", "\t[\r\n1]",
        ]
    )
    func valid(text: String) {
        #expect(JSONFault(in: Array(text.utf8)) == nil)
    }
}
