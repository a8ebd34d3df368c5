import Messages
import ServingModel
import Testing

@Suite("What decoding refuses")
struct ValidationTests {
    private func expect<Message: WireMessage>(
        _ type: Message.Type,
        _ bytes: [UInt8],
        refusedFor problem: DecodingFailure.Problem,
        at field: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do {
            let message = try Message.decode(bytes)
            Issue.record("decoded \(message)", sourceLocation: sourceLocation)
        } catch {
            let expected = DecodingFailure(message: "\(Message.self)", field: field, problem: problem)
            #expect(error == expected, sourceLocation: sourceLocation)
        }
    }

    private let notUTF8: [UInt8] = [0x61, 0xC3, 0x28]

    @Test("invalid UTF-8, wherever it stands")
    func invalidUTF8() {
        expect(Hello.self, Wire.bytes(1, notUTF8), refusedFor: .invalidUTF8, at: "software")
        expect(Hello.self, Wire.bytes(2, [0xED, 0xA0, 0x80]), refusedFor: .invalidUTF8, at: "name")
        expect(Status.self, Wire.bytes(3, [0xF5, 0x80, 0x80, 0x80]), refusedFor: .invalidUTF8, at: "message")
        expect(GenerateRequest.self, Wire.bytes(2, notUTF8), refusedFor: .invalidUTF8, at: "text")
        let chat = Wire.bytes(1, Wire.text(1, "user")) + Wire.bytes(1, Wire.bytes(2, notUTF8))
        expect(GenerateRequest.self, Wire.bytes(3, chat), refusedFor: .invalidUTF8, at: "chat.messages[1].content")
        let sampling = Wire.bytes(6, Wire.bytes(5, notUTF8))
        expect(GenerateRequest.self, sampling + Wire.text(2, "a"), refusedFor: .invalidUTF8, at: "sampling.stop")
    }

    @Test("a NUL inside a text, which a C string would end at", arguments: [[0], [0x61, 0, 0x62], [0x61, 0]])
    func embeddedNUL(text: [UInt8]) {
        expect(Hello.self, Wire.bytes(1, text), refusedFor: .embeddedNUL, at: "software")
        expect(GenerateRequest.self, Wire.bytes(2, text), refusedFor: .embeddedNUL, at: "text")
        expect(GenerateEvent.self, Wire.bytes(3, Wire.bytes(4, text)), refusedFor: .embeddedNUL, at: "tokens.text")
    }

    @Test("a text sent twice counts the last time, as protobuf has it")
    func repeatedText() throws {
        let bytes = Wire.text(1, "first, longer") + Wire.text(1, "second")
        #expect(try Hello.decode(bytes) == Hello(software: "second", name: ""))
        #expect(try Hello.decode(Wire.bytes(1, [0]) + Wire.text(1, "b")) == Hello(software: "b", name: ""))
        #expect(try Hello.decode(Wire.text(1, "a") + Wire.bytes(1, [])) == Hello(software: "", name: ""))
    }

    @Test("numbers that are not finite")
    func notFinite() {
        let text = Wire.text(2, "a")
        for value in [Double.nan, .infinity, -.infinity, .signalingNaN] {
            let temperature = text + Wire.bytes(6, Wire.real(1, value))
            expect(GenerateRequest.self, temperature, refusedFor: .notFinite, at: "sampling.temperature")
            let topP = text + Wire.bytes(6, Wire.real(2, value))
            expect(GenerateRequest.self, topP, refusedFor: .notFinite, at: "sampling.top_p")
            let insight = Wire.bytes(3, Wire.real(4, value))
            expect(SchedulerReport.self, insight, refusedFor: .notFinite, at: "insight.decision_p99_us")
        }
    }

    @Test("a profile's number that is not finite or absurd, field by field", arguments: profileFields)
    func profileNumbers(number: UInt64, name: String) {
        let valid = Wire.number(15, 1) + Wire.number(17, 16)
        func report(_ value: Double) -> [UInt8] {
            Wire.bytes(1, Wire.text(6, "chunked") + Wire.bytes(7, valid + Wire.real(number, value)))
        }
        expect(WorkerReport.self, report(.nan), refusedFor: .notFinite, at: "registration.profile.\(name)")
        expect(WorkerReport.self, report(-.infinity), refusedFor: .notFinite, at: "registration.profile.\(name)")
        expect(WorkerReport.self, report(1e13), refusedFor: .outOfRange, at: "registration.profile.\(name)")
        #expect(throws: Never.self) { try WorkerReport.decode(report(0.5)) }
    }

    static let profileFields: [(UInt64, String)] = [
        (3, "prefill_c0_ms"), (4, "prefill_c1_ms"), (5, "prefill_k1_ms"), (6, "prefill_k1q_ms"),
        (7, "prefill_knee_tokens"), (8, "prefill_k1_above_knee_ms"), (9, "decode_c3_ms"), (10, "decode_k2_ms"),
        (11, "decode_c2_ms"), (12, "decode_knee_sequences"), (13, "decode_c2_above_knee_ms"),
        (14, "mixed_constant_ms"), (18, "kv_watermark"), (19, "kv_bytes_per_token"), (23, "decode_expert_ms"),
        (24, "decode_expert_share"),
    ]

    @Test("memory blocks of no tokens, which would be divided by")
    func emptyBlocks() {
        let registration = Wire.bytes(1, Wire.text(6, "chunked") + Wire.bytes(7, []))
        expect(WorkerReport.self, registration, refusedFor: .outOfRange, at: "registration.profile.kv_block_tokens")
    }

    @Test("enumerators that the schema does not have")
    func unknownEnumerators() {
        expect(Status.self, Wire.number(1, 17), refusedFor: .unknownValue, at: "code")
        expect(Status.self, Wire.number(1, .max), refusedFor: .unknownValue, at: "code")
        for reason: UInt64 in [0, 3, 1 << 31] {
            let finished = Wire.bytes(5, Wire.number(1, reason))
            expect(GenerateEvent.self, finished, refusedFor: .unknownValue, at: "finished.reason")
        }
        for kind: UInt64 in [0, 4] {
            let step = Wire.bytes(3, Wire.bytes(1, Wire.number(1, kind)))
            expect(WorkerReport.self, step, refusedFor: .unknownValue, at: "step.workload.kind")
        }
        let ended = Wire.bytes(2, Wire.bytes(6, Wire.number(2, 99)))
        expect(ClusterEvents.self, ended, refusedFor: .unknownValue, at: "events[0].query_ended.code")
    }

    @Test("words and identifiers that mean nothing")
    func unknownWords() {
        let profile = Wire.bytes(7, Wire.number(17, 16))
        let registration = Wire.bytes(1, Wire.text(6, "Chunked") + profile)
        expect(WorkerReport.self, registration, refusedFor: .unknownValue, at: "registration.batching")
        let worker = Wire.bytes(8, Wire.text(7, "asleep") + Wire.bytes(19, Wire.number(17, 16)))
        expect(ClusterStatus.self, worker, refusedFor: .unknownValue, at: "workers[0].state")
        let queued = Wire.bytes(2, Wire.bytes(3, Wire.text(2, "0190163d-8694-739b-aea5")))
        expect(ClusterEvents.self, queued, refusedFor: .unknownValue, at: "events[0].query_queued.query_id")
    }

    @Test("an unknown reason is not refused: its code alone counts")
    func unknownReason() throws {
        let bytes = Wire.number(1, 14) + Wire.number(2, 9999) + Wire.text(3, "new")
        #expect(try Status.decode(bytes) == Status(.unavailable, .none, "new"))
    }

    @Test("a body without the member of its oneof")
    func missingOneof() {
        expect(GenerateRequest.self, Wire.number(5, 3), refusedFor: .missing, at: "input")
        expect(GenerateEvent.self, [], refusedFor: .missing, at: "event")
        expect(WorkerReport.self, [], refusedFor: .missing, at: "report")
        expect(WorkerCommand.self, [], refusedFor: .missing, at: "command")
        expect(SchedulerReport.self, [], refusedFor: .missing, at: "report")
        let events = Wire.bytes(2, Wire.bytes(7, [])) + Wire.bytes(2, [])
        expect(ClusterEvents.self, events, refusedFor: .missing, at: "events[1].event")
    }

    @Test("a missing part that nothing can stand for")
    func missingParts() {
        expect(Welcome.self, Wire.number(1, 7), refusedFor: .missing, at: "limits")
        expect(WorkerReport.self, Wire.bytes(1, []), refusedFor: .missing, at: "registration.profile")
        let joined = Wire.bytes(2, Wire.bytes(1, Wire.number(1, 3)))
        expect(ClusterEvents.self, joined, refusedFor: .missing, at: "events[0].worker_joined.registration")
        let step = Wire.bytes(2, Wire.bytes(5, Wire.number(1, 3)))
        expect(ClusterEvents.self, step, refusedFor: .missing, at: "events[0].step_completed.workload")
        let insight = Wire.bytes(3, Wire.bytes(1, Wire.number(1, 3)))
        expect(SchedulerReport.self, insight, refusedFor: .missing, at: "insight.workers[0].profile")
        expect(ClusterStatus.self, Wire.bytes(8, []), refusedFor: .missing, at: "workers[0].profile")
    }

    @Test("token identifiers beyond 31 bits")
    func tokenIdentifiers() throws {
        let largest = UInt64(Int32.max)
        let tokens = Wire.bytes(4, Wire.packed(1, [1, largest + 1]))
        expect(GenerateRequest.self, tokens, refusedFor: .outOfRange, at: "tokens.ids")
        let event = Wire.bytes(3, Wire.number(2, 1) + Wire.packed(3, [UInt64(UInt32.max)]))
        expect(GenerateEvent.self, event, refusedFor: .outOfRange, at: "tokens.ids")
        let batch = Wire.bytes(2, Wire.bytes(1, Wire.packed(6, [largest + 1])))
        expect(WorkerCommand.self, batch, refusedFor: .outOfRange, at: "batch.assignments[0].resumed_ids")
        let request = try GenerateRequest.decode(Wire.bytes(4, Wire.packed(1, [0, largest])))
        #expect(request.input == .tokens([0, .max]))
    }

    @Test("lists whose lengths disagree")
    func listLengths() {
        for count: UInt64 in [0, 1, 3] {
            let tokens = Wire.number(2, count) + Wire.packed(3, [5, 6])
            expect(GenerateEvent.self, Wire.bytes(3, tokens), refusedFor: .lengthMismatch, at: "tokens.ids")
            let report = Wire.bytes(3, Wire.bytes(3, []) + Wire.bytes(3, Wire.bytes(2, tokens)))
            expect(WorkerReport.self, report, refusedFor: .lengthMismatch, at: "step.progress[1].tokens.ids")
        }
        let workload = Wire.bytes(2, Wire.number(1, 2))
        let step = workload + Wire.packed(4, [1, 2]) + Wire.packed(5, [1])
        let events = Wire.bytes(2, Wire.bytes(5, step))
        expect(ClusterEvents.self, events, refusedFor: .lengthMismatch, at: "events[0].step_completed.tokens")
    }

    @Test("times beyond ten years and counts beyond 2^48")
    func largeNumbers() throws {
        let largest: UInt64 = 1 << 48
        let decade: UInt64 = 315_576_000_000_000
        func step(_ number: UInt64, _ value: UInt64) -> [UInt8] { Wire.bytes(3, Wire.number(number, value)) }
        expect(WorkerReport.self, step(2, decade + 1), refusedFor: .outOfRange, at: "step.duration_us")
        expect(WorkerReport.self, step(2, .max), refusedFor: .outOfRange, at: "step.duration_us")
        expect(WorkerReport.self, step(5, largest + 1), refusedFor: .outOfRange, at: "step.free_kv_tokens")
        let assignment = Wire.bytes(2, Wire.bytes(1, Wire.number(4, decade / 1000 + 1)))
        expect(WorkerCommand.self, assignment, refusedFor: .outOfRange, at: "batch.assignments[0].remaining_ms")
        #expect(throws: Never.self) { try WorkerReport.decode(step(2, decade)) }
        #expect(throws: Never.self) { try WorkerReport.decode(step(5, largest)) }
    }

    @Test("a failure names the message, the field and the problem, never the content")
    func description() {
        do {
            _ = try GenerateRequest.decode(Wire.bytes(2, Array("secret".utf8) + [0xFF]))
            Issue.record("decoded")
        } catch {
            #expect(error.description == "GenerateRequest.text: not valid UTF-8")
            #expect(error.status == Status(.invalidArgument, .malformed, error.description))
        }
    }
}
