internal import Testing

@Suite("The HTTP parser that the tests read responses with")
struct HTTPResponseParserTests {
    @Test("reads a response with a length, byte by byte")
    func length() throws {
        var parser = HTTPResponseParser()
        var head: HTTPResponseParser.Head?
        for byte in "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nX-A:b\r\n\r\nabcHTTP".utf8 {
            parser.append([byte])
            if head == nil { head = try parser.head() }
        }
        #expect(head == .init(status: 404, headers: ["content-length": "3", "x-a": "b"]))
        #expect(parser.body(length: 3) == "abc")
        #expect(parser.body(length: 5) == nil)
        #expect(parser.hasLeftovers)
    }

    @Test("reads chunks as they come, and their end")
    func chunks() throws {
        var parser = HTTPResponseParser()
        parser.append("3\r\nabc\r\nA\r\n01234".utf8)
        #expect(try parser.chunk() == "abc")
        #expect(try parser.chunk() == nil)
        parser.append("56789\r\n0\r\n\r\n".utf8)
        #expect(try parser.chunk() == "0123456789")
        #expect(try parser.chunk() == "")
        #expect(!parser.hasLeftovers)
    }

    @Test("refuses what is not HTTP/1.1")
    func refuses() throws {
        var parser = HTTPResponseParser()
        parser.append("HTTP/1.0 200 OK\r\n\r\n".utf8)
        #expect(throws: HTTPResponseParser.Failure.self) { try parser.head() }
        parser = HTTPResponseParser()
        parser.append("xyz\r\nabc\r\n".utf8)
        #expect(throws: HTTPResponseParser.Failure.self) { try parser.chunk() }
        #expect(throws: HTTPResponseParser.Failure.self) {
            try HTTPResponseParser.framing(of: .init(status: 200, headers: [:]))
        }
    }
}
