import ServingModel
import Testing

@testable import UpstreamEngine

@Suite("Server-sent events")
struct ServerSentEventsTests {
    private func events(_ pieces: [String]) throws -> [String] {
        var parser = ServerSentEvents()
        return try pieces.flatMap { try parser.take(Array($0.utf8)) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "Lines may end in any of three ways",
        arguments: ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r"]
    )
    func lineEnds(text: String) throws {
        #expect(try events([text]) == ["a", "b"])
    }

    @Test("Wherever the bytes are cut, the events are the same")
    func cuts() throws {
        let text =
            "\u{FEFF}: hello\r\nevent: x\r\ndata: {\"ä\": 1}\r\ndata: 2\r\n\r\nid: 7\ndata:3\n\ndata\n\n: bye\n\ndata: lost"
        let bytes = Array(text.utf8)
        let expected = ["{\"ä\": 1}\n2", "3", ""]
        for size in 1...bytes.count {
            var parser = ServerSentEvents()
            var found: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                found += try parser.take(Array(bytes[start..<min(start + size, bytes.count)])).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
            #expect(found == expected, "in pieces of \(size)")
        }
    }

    @Test("Random bytes are survived, and a naive reader of whole texts agrees")
    func randomBytes() throws {
        var random = SeededGenerator(seed: 5)
        let alphabet = Array("data: \n\r:x".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            var parser = ServerSentEvents()
            #expect(try parser.take(bytes) == naive(bytes))
        }
    }

    /// The standard's words, over a text that is there as a whole.
    private func naive(_ bytes: [UInt8]) -> [[UInt8]] {
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars.map(String.init).joined()
        var normal = ""
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if scalar == "\n", last == "\r" {
                last = scalar
                continue
            }
            normal.unicodeScalars.append(scalar == "\r" ? "\n" : scalar)
            last = scalar
        }
        var events: [[UInt8]] = []
        var data: [String] = []
        let lines = normal.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        for line in lines {
            if line.isEmpty {
                if !data.isEmpty { events.append(Array(data.joined(separator: "\n").utf8)) }
                data = []
            } else if line == "data" {
                data.append("")
            } else if line.hasPrefix("data:") {
                let value = line.dropFirst(5)
                data.append(String(value.hasPrefix(" ") ? value.dropFirst() : value))
            }
        }
        return events
    }

    @Test("A line without an end is not kept for ever")
    func bounds() throws {
        var parser = ServerSentEvents()
        #expect(throws: ServerSentEvents.TooLong.self) {
            _ = try parser.take(Array(repeating: UInt8(ascii: "x"), count: ServerSentEvents.maximumBytes + 1))
        }
        var patient = ServerSentEvents()
        let line = Array("data: ".utf8) + Array(repeating: UInt8(ascii: "x"), count: 600_000) + [UInt8(ascii: "\n")]
        _ = try patient.take(line)
        #expect(throws: ServerSentEvents.TooLong.self) { _ = try patient.take(line) }
    }
}
