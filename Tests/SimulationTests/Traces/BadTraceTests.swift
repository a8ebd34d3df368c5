import ServingModel
import Simulation
import Testing

@Suite("Bad traces")
struct BadTraceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var line: Int
        /// Parts of the message: the field and what is wrong with it.
        var says: [String]

        var testDescription: String { name }

        init(_ name: String, _ text: String, line: Int, says: String...) {
            (self.name, self.text, self.line, self.says) = (name, text, line, says)
        }
    }

    private static let own = "arrival_s,input_tokens,output_tokens,session_id,priority,slo_ttft_ms,slo_atgt_ms\n0,1,1\n"
    private static let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-02-29 00:00:00,1,1\n"
    private static let mooncake = "{\"timestamp\":0,\"input_length\":1,\"output_length\":1}\n"
    private static let burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n1,m,1,1,2,l\n"

    /// Nothing can be read, bad lines skipped or not.
    static let files = [
        Case("an empty file", "", line: 1, says: "empty"),
        Case("blanks only", " \n\n", line: 1, says: "empty"),
        Case("no header", "0,10,20\n", line: 1, says: "header", "arrival_s,input_tokens,output_tokens"),
        Case("another format", "<html>\n<body>\n", line: 1, says: "header"),
        Case("a header only", "arrival_s,input_tokens,output_tokens\n", line: 1, says: "no query"),
        Case("a missing column", "arrival_s,input_tokens\n0,1\n", line: 1, says: "output_tokens is missing"),
        Case("Azure's missing column", "TIMESTAMP,ContextTokens\n", line: 1, says: "GeneratedTokens is missing"),
        Case("BurstGPT's missing column", "Timestamp,Request tokens\n", line: 1, says: "Response tokens is missing"),
        Case("a column twice", "arrival_s,input_tokens,input_tokens\n", line: 1, says: "input_tokens", "twice"),
        Case("an open quote in the header", "arrival_s,\"input_tokens\n", line: 1, says: "quote"),
    ]

    /// The file is good but for one line.
    static let lines = [
        Case("a negative time", own + "-1,1,1\n", line: 3, says: "arrival_s", "-1", "from 0"),
        Case("NaN", own + "nan,1,1\n", line: 3, says: "arrival_s", "nan"),
        Case("infinity", own + "inf,1,1\n", line: 3, says: "arrival_s", "inf"),
        Case("a time beyond reason", own + "1e300,1,1\n", line: 3, says: "arrival_s", "1e300"),
        Case("a time of many digits", own + "99999999999999999999,1,1\n", line: 3, says: "arrival_s"),
        Case("a time with two points", own + "1.2.3,1,1\n", line: 3, says: "arrival_s", "1.2.3"),
        Case("a point alone", own + ".,1,1\n", line: 3, says: "arrival_s"),
        Case("no time", own + ",1,1\n", line: 3, says: "arrival_s is missing"),
        Case("an unsorted time", own + "5,1,1\n4,1,1\n", line: 4, says: "arrival_s", "earlier than in line 3"),
        Case("0 input tokens", own + "1,0,1\n", line: 3, says: "input_tokens", "0", "from 1"),
        Case("0 output tokens", own + "1,1,0\n", line: 3, says: "output_tokens", "0", "from 1"),
        Case("negative tokens", own + "1,-7,1\n", line: 3, says: "input_tokens", "-7"),
        Case("a fraction of a token", own + "1,1.5,1\n", line: 3, says: "input_tokens", "1.5", "whole"),
        Case("tokens that are no number", own + "1,1,NaN\n", line: 3, says: "output_tokens", "NaN"),
        Case("more tokens than 64 bits", own + "1,1,99999999999999999999\n", line: 3, says: "output_tokens"),
        Case("a missing field", own + "1,1\n", line: 3, says: "output_tokens is missing"),
        Case("too many fields", own + "1,1,1,1,1,1,1,1\n", line: 3, says: "8 fields", "7"),
        Case("an empty line", own + "\n1,1,1\n", line: 3, says: "empty"),
        Case("an open quote", own + "1,\"1,1\n", line: 3, says: "quote"),
        Case("a priority that is no number", own + "1,1,1,,high\n", line: 3, says: "priority", "high"),
        Case("an objective of 0", own + "1,1,1,,,0,1\n", line: 3, says: "slo_ttft_ms", "above 0"),
        Case("half an objective", own + "1,1,1,,,,10\n", line: 3, says: "slo_ttft_ms is missing"),
        Case("a date that is none", azure + "2023-02-29 00:00:00,1,1\n", line: 3, says: "TIMESTAMP", "2023-02-29"),
        Case("a month that is none", azure + "2024-13-01 00:00:00,1,1\n", line: 3, says: "TIMESTAMP"),
        Case("a time without digits", azure + "2024-03-01 00:00:00.,1,1\n", line: 3, says: "TIMESTAMP"),
        Case("a number for a time", azure + "17,1,1\n", line: 3, says: "TIMESTAMP", "17"),
        Case("Azure's 0 tokens", azure + "2024-03-01 00:00:00,0,1\n", line: 3, says: "ContextTokens"),
        Case("an earlier day", azure + "2024-02-28 23:00:00,1,1\n", line: 3, says: "TIMESTAMP", "earlier"),
        Case("BurstGPT's 0 tokens", burst + "2,m,0,0,0,l\n", line: 3, says: "Request tokens"),
        Case("no JSON", mooncake + "0,1,1\n", line: 2, says: "JSON", "{"),
        Case("an open object", mooncake + "{\"timestamp\":0,", line: 2, says: "JSON"),
        Case("an open string", mooncake + "{\"timest", line: 2, says: "JSON", "quote"),
        Case("an escape at the end", mooncake + "{\"timest\\", line: 2, says: "JSON", "quote"),
        Case("text after the object", mooncake + "{} {}", line: 2, says: "JSON", "end"),
        Case("an empty object", mooncake + "{}", line: 2, says: "timestamp is missing"),
        Case("deep nesting", mooncake + "{\"a\":" + String(repeating: "[", count: 100_000), line: 2, says: "nested"),
        Case("no length", mooncake + "{\"timestamp\":1,\"input_length\":1}", line: 2, says: "output_length is missing"),
        Case("Mooncake's negative time", mooncake + "{\"timestamp\":-1}", line: 2, says: "timestamp", "-1"),
        Case("a length of another type", mooncake + "{\"input_length\":null}", line: 2, says: "input_length", "null"),
        Case("a negative block", mooncake + "{\"hash_ids\":[1,-2]}", line: 2, says: "hash_ids", "-2"),
        Case("a block beyond 64 bits", mooncake + "{\"hash_ids\":[1,12345678901234567890]}", line: 2, says: "hash_ids"),
    ]

    @Test("A file without queries names its first line", arguments: files)
    func badFile(bad: Case) throws {
        for skipBad in [false, true] {
            let error = try #require(throws: TraceError.self) { try TraceReading(text: bad.text, skipBad: skipBad) }
            #expect(error.line == bad.line)
            for part in bad.says { #expect(error.message.contains(part), "\(error)") }
        }
    }

    @Test(
        "A bad line is named with its field; with bad lines skipped it is counted and the others are kept",
        arguments: lines
    )
    func badLine(bad: Case) throws {
        let error = try #require(throws: TraceError.self) { try TraceReading(text: bad.text) }
        #expect(error.line == bad.line)
        for part in bad.says { #expect(error.message.contains(part), "\(error)") }
        #expect(error.description == "line \(bad.line): \(error.message)")

        let reading = try TraceReading(text: bad.text, skipBad: true)
        #expect(reading.skipped == [error])
        let lines = bad.text.split(separator: "\n", omittingEmptySubsequences: false).count
        let kept = reading.trace.entries.compactMap(\.line)
        #expect(kept == (1...lines).filter { Set(kept).contains($0) } && !kept.contains(bad.line))
        #expect(!kept.isEmpty)
    }

    @Test("Every bad line is counted, in its order")
    func countsAll() throws {
        let text = "arrival_s,input_tokens,output_tokens\nx,1,1\n1,1,1\n0,1,1\n2,0,1\n3,1,1\n"
        let reading = try TraceReading(text: text, skipBad: true)
        #expect(reading.skipped.map(\.line) == [2, 4, 5])
        #expect(reading.trace.entries.map(\.line) == [3, 6])
    }

    @Test("A file with bad lines only says what is wrong with the first")
    func noGoodLine() {
        let text = "arrival_s,input_tokens,output_tokens\n0,0,1\n"
        let message = "no line is good: input_tokens is \"0\": expected a whole number from 1"
        #expect(throws: TraceError(line: 2, message: message)) { try TraceReading(text: text, skipBad: true) }
    }

    @Test("Bytes at random and good traces with bytes changed are read or refused, never more")
    func randomBytes() {
        var generator = SeededGenerator(seed: 7)
        for text in Self.lines.map(\.text) where text.utf8.count < 1000 {
            for _ in 0..<100 {
                var bytes = Array(text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
                        in: 0...255,
                        using: &generator
                    )
                }
                let changed = String(decoding: bytes, as: UTF8.self)
                guard let reading = try? TraceReading(text: changed, skipBad: true) else { continue }
                #expect(reading.trace.entries.allSatisfy { $0.inputTokens >= 1 && $0.arrival.nanoseconds >= 0 })
            }
        }
    }
}
