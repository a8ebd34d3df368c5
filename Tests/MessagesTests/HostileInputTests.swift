import ServingModel
import Testing

@testable import Messages

@Suite("Hostile bodies")
struct HostileInputTests {
    private func problem<Message: WireMessage>(_ type: Message.Type, _ bytes: [UInt8]) -> DecodingFailure.Problem? {
        do {
            _ = try Message.decode(bytes)
            return nil
        } catch {
            return error.problem
        }
    }

    @Test("a body cut off anywhere is refused or shorter, and never read beyond its end")
    func truncated() throws {
        let message = WorkerReport.step(
            StepReport(
                workload: StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 9),
                duration: .milliseconds(5),
                progress: [
                    LeaseProgress(
                        lease: Lease(rawValue: 4),
                        tokens: TokensEvent(firstIndex: 1, count: 2, ids: [1, 2], text: "ab"),
                        failed: Status(.internalError, .engineFailed, "boom", retryAfter: .seconds(1))
                    )
                ],
                waiting: 0,
                freeKVTokens: 5
            )
        )
        let bytes = message.encode()
        for count in 0..<bytes.count {
            // A copy of exactly this size, so that an address checker sees any read beyond it.
            let cut = Array(bytes.prefix(count))
            #expect(problem(WorkerReport.self, cut) != nil)
        }
    }

    @Test("a length that promises more than there is, up to the largest, is refused")
    func promisedLengths() {
        for length: UInt64 in [3, 127, 1 << 31, 1 << 32, 1 << 63, .max] {
            #expect(problem(Hello.self, [0x0A] + Wire.varint(length) + [0x61]) == .notProtobuf)
            let nested = Wire.bytes(3, [0x1A] + Wire.varint(length))
            #expect(problem(WorkerReport.self, nested) == .notProtobuf)
        }
    }

    @Test("unknown fields, one deep or ten thousand, are accepted and dropped")
    func unknownFields() throws {
        let known = Wire.text(1, "a")
        let unknown = Wire.number(99, 7) + Wire.bytes(100, [1, 2, 3]) + Wire.real(101, 1)
        #expect(try Hello.decode(unknown + known + unknown) == Hello(software: "a", name: ""))
        var deep: [UInt8] = []
        for _ in 0..<10_000 { deep = Wire.bytes(1000, Array(deep.suffix(30_000))) }
        #expect(try Hello.decode(known + deep) == Hello(software: "a", name: ""))
        let nested = Wire.bytes(3, Wire.bytes(4, Wire.text(3, "m")) + unknown)
        let step = try WorkerReport.decode(Wire.bytes(3, nested) + unknown)
        guard case .step(let report) = step else {
            Issue.record("decoded \(step)")
            return
        }
        #expect(report.progress.count == 1)
    }

    @Test("what needs more memory than its size allows is refused, not allocated")
    func overBudget() {
        let fields = (0..<300_000).flatMap { _ in Wire.number(15, 1) }
        #expect(problem(Hello.self, fields) == .overBudget)
        #expect(problem(GenerateRequest.self, fields) == .overBudget)
        let emptyMessages = (0..<300_000).flatMap { _ in Wire.bytes(2, []) }
        #expect(problem(ClusterEvents.self, emptyMessages) == .overBudget)
        let emptyChat = Wire.bytes(3, (0..<100_000).flatMap { _ in Wire.bytes(1, []) })
        #expect(problem(GenerateRequest.self, emptyChat) == .overBudget)
    }

    @Test("a body of four megabytes decodes if it is honest")
    func hugeButHonest() throws {
        let text = String(repeating: "0123456789abcdef", count: 1 << 18)
        let request = GenerateRequest(input: .text(text), maxTokens: 1)
        #expect(try GenerateRequest.decode(request.encode()) == request)
        let tokens = GenerateRequest(input: .tokens([Int32](repeating: 5, count: 1 << 20)), maxTokens: 1)
        #expect(try GenerateRequest.decode(tokens.encode()) == tokens)
    }

    @Test("a field with another wire type than the schema's is refused")
    func wrongWireTypes() {
        #expect(problem(Hello.self, Wire.number(1, 5)) == .notProtobuf)
        #expect(problem(Status.self, Wire.text(1, "5")) == .notProtobuf)
        #expect(problem(GenerateRequest.self, Wire.bytes(6, Wire.number(1, 5))) == .notProtobuf)
        // Groups, and the wire types that do not exist.
        for wireType: UInt8 in [3, 4, 6, 7] { #expect(problem(Hello.self, [1 << 3 | wireType]) == .notProtobuf) }
        #expect(problem(Hello.self, [0x00, 0x00]) == .notProtobuf)
        #expect(problem(Hello.self, [UInt8](repeating: 0xFF, count: 20)) == .notProtobuf)
    }

    @Test("parts sent twice are merged without harm")
    func mergedParts() throws {
        let first = Wire.bytes(6, Wire.real(1, 0.5) + Wire.bytes(4, Wire.number(1, 9)) + Wire.text(5, "x"))
        let second = Wire.bytes(6, Wire.number(3, 40) + Wire.text(5, "y"))
        let request = try GenerateRequest.decode(first + Wire.text(2, "a") + second)
        // protobuf-c 1.4.1 joins lists and parts, but takes numbers from the later part alone, even where it has none.
        #expect(request.sampling == Sampling(temperature: 0, topK: 40, seed: 9, stop: ["x", "y"]))
        let replaced = try GenerateRequest.decode(Wire.text(2, "a") + Wire.bytes(4, Wire.packed(1, [1])))
        #expect(replaced.input == .tokens([1]))
        let mixed = Wire.bytes(4, Wire.packed(1, [1, 2]) + Wire.number(1, 3))
        #expect(try GenerateRequest.decode(mixed).input == .tokens([1, 2, 3]))
    }

    @Test("an explanation beyond its bounds is refused, field by field")
    func boundlessExplanations() {
        func refusal(_ explanation: [UInt8]) -> String? {
            let placements = Wire.bytes(2, Wire.bytes(1, Wire.bytes(6, explanation)))
            do {
                _ = try SchedulerReport.decode(placements)
                return nil
            } catch {
                return "\(error.field): \(error.problem)"
            }
        }
        func repeated(_ part: [UInt8], _ count: Int) -> [UInt8] { (0..<count).flatMap { _ in part } }
        func text(_ count: Int) -> String { String(repeating: "x", count: count) }
        let place = "placements.placements[0].explanation"
        #expect(refusal(repeated(Wire.bytes(4, []), 8)) == nil)
        #expect(refusal(repeated(Wire.bytes(4, []), 9)) == "\(place).candidates: outOfRange")
        #expect(refusal(Wire.bytes(4, repeated(Wire.bytes(2, []), 16))) == nil)
        #expect(
            refusal(Wire.bytes(4, repeated(Wire.bytes(2, []), 17))) == "\(place).candidates[0].terms: outOfRange"
        )
        #expect(refusal(Wire.text(1, text(256))) == nil)
        #expect(refusal(Wire.text(1, text(257))) == "\(place).reason: outOfRange")
        #expect(refusal(Wire.bytes(4, Wire.text(3, text(257)))) == "\(place).candidates[0].failed: outOfRange")
        let term = "\(place).candidates[0].terms[0]"
        #expect(refusal(Wire.bytes(4, Wire.bytes(2, Wire.text(1, text(65))))) == "\(term).name: outOfRange")
        #expect(refusal(Wire.bytes(4, Wire.bytes(2, Wire.real(2, .infinity)))) == "\(term).value: notFinite")
        #expect(refusal(Wire.number(2, .max)) == "\(place).held_us: outOfRange")
        #expect(problem(SchedulerReport.self, Wire.bytes(2, Wire.bytes(1, Wire.number(5, .max)))) == .outOfRange)
    }

    @Test("an explanation of a query needs its identifier, a known state, and a status if it has ended")
    func wrongQueryExplanations() {
        let id = Wire.text(1, "0190163d-8694-739b-aea5-966c26f8ad91")
        #expect(problem(QueryExplanation.self, Wire.text(5, "queued")) == .unknownValue)
        #expect(problem(QueryExplanation.self, id) == .unknownValue)
        #expect(problem(QueryExplanation.self, id + Wire.text(5, "lost")) == .unknownValue)
        #expect(problem(QueryExplanation.self, id + Wire.text(5, "ended")) == .missing)
        #expect(problem(QueryExplanation.self, id + Wire.text(5, "ended") + Wire.bytes(6, [])) == nil)
        #expect(problem(QueryExplanation.self, id + Wire.text(5, "queued")) == nil)
    }
}
