internal import Testing

@testable internal import GatewayService

@Suite("Finding where JSON breaks")
struct JSONFaultTests {
    @Test(
        "names the line and column of the first byte that can't be there",
        arguments: [
            ("", 1, 1), ("nonsense", 1, 2), (#"{"a": [}"#, 1, 8), ("{\"a\": 1,\n \"b\": NaN}", 2, 7), ("{} x", 1, 4),
            ("{\"a\" 1}", 1, 6), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("\"abc", 1, 5), (#""\x""#, 1, 3), ("-", 1, 2),
            ("[1.]", 1, 4), ("[1e]", 1, 4), ("\n\n{'a':1}", 3, 2), (String(repeating: "[", count: 600), 1, 513),
        ]
    )
    func places(text: String, line: Int, column: Int) throws {
        let place = try #require(JSONFault.place(in: Array(text.utf8)))
        #expect(place == (line, column))
    }

    @Test(
        "finds nothing in what is JSON",
        arguments: [
            "{}", " [ ] ", #"{"a":[1,-2.5e+3,true,false,null,"x\"\\\u00e9"],"b":{"c":{}}}"#, "0", "\"\"", "\t[\r\n1]",
        ]
    )
    func valid(text: String) {
        #expect(JSONFault.place(in: Array(text.utf8)) == nil)
    }
}
