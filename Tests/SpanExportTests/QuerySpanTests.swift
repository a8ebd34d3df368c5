internal import Foundation
internal import ServingModel
internal import Testing

@testable internal import SpanExport

@Suite("A query's spans", .timeLimit(.minutes(2)))
struct QuerySpanTests {
    private let id = QueryID(high: 0x0190_163d_8694_739b, low: 0xaea5_966c_26f8_ad91)
    private let context = TraceContext(
        trace: TraceID(high: 7, low: 8),
        parent: SpanID(rawValue: 9),
        isSampled: true,
        state: "a=b"
    )

    private func attempt(_ number: Int, placed: Int64, dispatched: Int64?, first: Int64?) -> QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: number,
            worker: WorkerID(rawValue: UInt64(number)),
            workerName: "w\(number)",
            policy: "jsq",
            placed: .milliseconds(placed)
        )
        attempt.dispatched = dispatched.map { .milliseconds($0) }
        attempt.firstToken = first.map { .milliseconds($0) }
        return attempt
    }

    private func trace(_ change: (inout QueryExplanation) -> Void) -> QueryTrace {
        var explanation = QueryExplanation(id: id, model: "m", objective: .standard)
        explanation.maxTokens = 9
        explanation.ended = .milliseconds(100)
        explanation.state = .ended(.ok)
        change(&explanation)
        return QueryTrace(context: context, operation: "chat", arrival: .zero, explanation: explanation)
    }

    /// Name, and when it began and ended in milliseconds.
    private func times(_ spans: [Span]) -> [String] {
        spans.map { "\($0.name) \($0.start / 1_000_000)-\($0.end / 1_000_000)" }
    }

    @Test("One for the whole, and one for each stage, which follow each other without a gap")
    func stages() throws {
        var trace = trace { explanation in
            explanation.attempts = [attempt(1, placed: 10, dispatched: 12, first: 40)]
            explanation.outputTokens = 3
            explanation.inputTokens = 5
            explanation.metObjective = true
        }
        trace.accepted = .milliseconds(4)
        trace.finish = "stop"
        let spans = trace.spans(arrivedAt: 1_000_000_000)
        #expect(
            times(spans) == [
                "chat m 1000-1100", "accepted 1000-1004", "queued 1000-1010", "dispatched 1010-1012",
                "prefill 1012-1040",
                "decode 1040-1100",
            ]
        )
        let root = try #require(spans.first)
        #expect(root.context == context && root.kind == .server && root.failure == nil)
        #expect(spans.dropFirst().allSatisfy { $0.context.parent == root.id && $0.context.trace == context.trace })
        #expect(Set(spans.map(\.id)).count == spans.count)
        #expect(root["gen_ai.operation.name"] == .text("chat"))
        #expect(root["gen_ai.request.model"] == .text("m"))
        #expect(root["gen_ai.usage.input_tokens"] == .integer(5))
        #expect(root["gen_ai.usage.output_tokens"] == .integer(3))
        #expect(root["gen_ai.response.finish_reasons"] == .texts(["stop"]))
        #expect(root["aladdin.slo.met"] == .truth(true))
        #expect(spans[4]["aladdin.worker.name"] == .text("w1"))
    }

    @Test("An attempt that fails ends the stage it is in, with the reason; the next one begins there")
    func retry() {
        let spans = trace { explanation in
            var lost = attempt(1, placed: 10, dispatched: 12, first: nil)
            lost.failed = .milliseconds(20)
            lost.failure = Status(.unavailable, .workerLost, "the worker is gone")
            explanation.attempts = [lost, attempt(2, placed: 30, dispatched: 31, first: 50)]
        }.spans(arrivedAt: 0)
        #expect(
            times(spans.dropFirst().map { $0 }) == [
                "queued 0-10", "dispatched 10-12", "prefill 12-20", "queued 20-30", "dispatched 30-31", "prefill 31-50",
                "decode 50-100",
            ]
        )
        #expect(spans[3].failure == "the worker is gone" && spans[3]["error.type"] == .text("worker_lost"))
        #expect(spans.filter { $0.failure != nil }.count == 1)
        #expect(spans[6]["aladdin.attempt"] == .integer(2))
        #expect(Set(spans.map(\.id)).count == spans.count)
    }

    @Test("A query that never ran was queued until its end; why it ended is told, but a client that left is no failure")
    func ends() {
        let expired = trace { $0.state = .ended(Status(.deadlineExceeded, .deadlineExpired, "too late")) }
        #expect(times(expired.spans(arrivedAt: 0)) == ["chat m 0-100", "queued 0-100"])
        #expect(expired.spans(arrivedAt: 0)[0].failure == "too late")
        let left = trace { $0.state = .ended(Status(.cancelled, .clientGone, "gone")) }.spans(arrivedAt: 0)
        #expect(left[0].failure == nil && left[0]["error.type"] == .text("client_gone"))
    }

    @Test("A query that ends before the journal has it ends when that has")
    func lateAcceptance() {
        var late = trace { $0.outputTokens = 1 }
        late.accepted = .milliseconds(130)
        #expect(times(late.spans(arrivedAt: 0)).prefix(2) == ["chat m 0-130", "accepted 0-130"])
    }

    @Test("They are written as OTLP's JSON has it")
    func json() throws {
        let spans = trace { $0.state = .ended(Status(.internalError, .none, "it \"broke\"")) }.spans(arrivedAt: 5)
        let bytes = SpanDocument.json(spans, instance: "host-1")
        #expect(!bytes.contains(UInt8(ascii: "\n")))
        let document = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        let resource = try #require((document["resourceSpans"] as? [[String: Any]])?.first)
        let attributes = (resource["resource"] as? [String: Any])?["attributes"] as? [[String: Any]]
        #expect(attributes?.first?["key"] as? String == "service.name")
        let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
        let span = try #require((scope["spans"] as? [[String: Any]])?.first)
        #expect(span["traceId"] as? String == "00000000000000070000000000000008")
        #expect(span["parentSpanId"] as? String == "0000000000000009")
        #expect((span["spanId"] as? String)?.count == 16)
        #expect(span["startTimeUnixNano"] as? String == "5" && span["kind"] as? Int == 2)
        #expect(span["traceState"] as? String == "a=b" && span["flags"] as? Int == 1)
        #expect((span["status"] as? [String: Any])?["code"] as? Int == 2)
        #expect((span["status"] as? [String: Any])?["message"] as? String == "it \"broke\"")
        let values = (span["attributes"] as? [[String: Any]])?.compactMap { $0["value"] as? [String: Any] } ?? []
        #expect(values.contains { $0["intValue"] as? String == "9" })
    }
}
