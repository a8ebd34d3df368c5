import ServingModel
import Testing

@testable import Messages

@Suite("Messages with long prompts")
struct LargeMessagesTests {
    private static let long = String(repeating: "héllo ☃ ", count: 1000)

    private static let samples: [GenerateRequest] = [
        GenerateRequest(input: .text(long), maxTokens: 1),
        GenerateRequest(
            model: "m",
            input: .text(long),
            maxTokens: 300,
            sampling: Sampling(temperature: 0.5, topP: 0.9, topK: 3, seed: 7, stop: ["a", "b"]),
            metadata: [MetadataEntry("x-slo-ttft-ms", "100"), MetadataEntry("k", long)]
        ),
        GenerateRequest(
            model: "m",
            input: .chat([
                ChatMessage(role: "system", content: ""), ChatMessage(role: "", content: long),
                ChatMessage(role: "user", content: "x"),
            ]),
            maxTokens: 1
        ),
        GenerateRequest(
            input: .chat((0..<3000).map { ChatMessage(role: "user", content: "number \($0)") }),
            maxTokens: 1
        ),
        GenerateRequest(input: .text("\0" + long), maxTokens: 1),
        GenerateRequest(model: "m\0", input: .chat([ChatMessage(role: "user", content: long + "\0")]), maxTokens: 1),
        GenerateRequest(input: .tokens([Int32](repeating: 5, count: 5000)), maxTokens: 1),
    ]

    @Test("Requests are written and read as protobuf-c does it", arguments: samples)
    func requests(request: GenerateRequest) throws {
        let bytes = request.encode()
        #expect(bytes == request.packed())
        #expect(try GenerateRequest.decode(bytes) == GenerateRequest.unpacked(bytes))
    }

    @Test("What can't be read is refused in protobuf-c's words, wherever it is cut or changed")
    func damaged() {
        let bytes = Self.samples[1].encode() + Self.samples[2].encode()
        let whole = Self.samples[1].encode()
        for end in [1, 2, 5, 4000, whole.count - 5, whole.count - 1, bytes.count - 3, bytes.count] {
            var damaged = Array(bytes[..<end])
            #expect(outcome(GenerateRequest.decode, damaged) == outcome(GenerateRequest.unpacked, damaged))
            damaged[end / 2] = 0xFF
            #expect(outcome(GenerateRequest.decode, damaged) == outcome(GenerateRequest.unpacked, damaged))
        }
    }

    @Test("Requests that are read without protobuf-c are what it makes of them, damaged ones too", arguments: 0..<20)
    func small(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var request = GenerateRequest.draw(&random)
            if Bool.random(using: &random) { request.sampling = Sampling() }
            var bytes = request.encode()
            #expect(outcome(GenerateRequest.decode, bytes) == outcome(GenerateRequest.unpacked, bytes))
            mutate(&bytes, &random)
            #expect(outcome(GenerateRequest.decode, bytes) == outcome(GenerateRequest.unpacked, bytes))
        }
    }

    @Test("A client's plain request is read without protobuf-c")
    func usual() {
        // text "hi", max_tokens 1, one entry of metadata: as a client without our encoder may write it.
        let bytes: [UInt8] = [0x12, 2, 0x68, 0x69, 0x28, 1, 0x3A, 6, 0x0A, 1, 0x6B, 0x12, 1, 0x76]
        let request = bytes.withUnsafeBytes { GenerateRequest(usual: $0) }
        #expect(request == GenerateRequest(input: .text("hi"), maxTokens: 1, metadata: [MetadataEntry("k", "v")]))
        #expect((bytes + [0x28, 2]).withUnsafeBytes { GenerateRequest(usual: $0) } == nil)
        #expect([0x28, 1].withUnsafeBytes { GenerateRequest(usual: $0) } == nil)
    }

    private func outcome<Value>(
        _ read: ([UInt8]) throws(DecodingFailure) -> Value,
        _ bytes: [UInt8]
    ) -> String {
        do throws(DecodingFailure) {
            return "\(try read(bytes))"
        } catch {
            return "\(error)"
        }
    }

    @Test("Batches are written and read as protobuf-c does it")
    func batches() throws {
        let usual = WireAssignment(
            lease: Lease(rawValue: 1 << 40),
            queryID: "q",
            attempt: 300,
            remaining: .milliseconds(12),
            request: OpaqueRequest([UInt8](repeating: 3, count: 100_000)),
            resumedTokens: [],
            traceparent: "00-1"
        )
        var (resumed, odd, handed) = (usual, usual, usual)
        let bare = WireAssignment(
            lease: Lease(rawValue: 0),
            queryID: "",
            attempt: 0,
            remaining: nil,
            request: [],
            resumedTokens: []
        )
        resumed.resumedTokens = [1, 300]
        odd.queryID = "\0"
        handed.kvCache = "c"
        handed.handsOver = true
        for assignments in [[], [usual], [bare], [bare, usual, usual], [resumed], [usual, resumed], [odd], [handed]] {
            let command = WorkerCommand.batch(assignments)
            let bytes = command.encode()
            #expect(bytes == command.packed())
            #expect(try WorkerCommand.decode(bytes) == WorkerCommand.unpacked(bytes))
            for end in stride(from: 0, through: min(bytes.count, 60), by: 1) {
                let cut = Array(bytes[..<end])
                #expect(outcome(WorkerCommand.decode, cut) == outcome(WorkerCommand.unpacked, cut))
            }
        }
    }
}
