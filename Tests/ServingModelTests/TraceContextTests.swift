import ServingModel
import Testing

@Suite("Trace contexts")
struct TraceContextTests {
    private let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("A header is read and written again, with another span as parent")
    func reads() throws {
        let context = try #require(TraceContext(traceparent: header, tracestate: "congo=t61rcWkgMzE,rojo=00f0"))
        #expect(context.isSampled && !context.isRandom)
        #expect(context.traceparent == header)
        #expect(context.state == "congo=t61rcWkgMzE,rojo=00f0")
        let inner = context.within(SpanID(rawValue: 0xAB))
        #expect(inner.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000ab-01")
    }

    @Test(
        "Flags that are not known are not passed on, the sampled and the random one are",
        arguments: [
            ("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("08", "00"),
        ]
    )
    func flags(given: String, passed: String) throws {
        let context = try #require(TraceContext(traceparent: header.dropLast(2) + given))
        #expect(context.traceparent == header.dropLast(2) + passed)
        #expect(context.isSampled == (UInt8(given, radix: 16)! & 1 == 1))
    }

    @Test("A later version is read as far as this one goes")
    func laterVersions() {
        #expect(TraceContext(traceparent: "cc" + header.dropFirst(2) + "-what-the-future-brings") != nil)
        #expect(TraceContext(traceparent: "cc" + header.dropFirst(2)) != nil)
        #expect(TraceContext(traceparent: "cc" + header.dropFirst(2) + "x") == nil)
    }

    @Test(
        "What is malformed is ignored",
        arguments: [
            "", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47361-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ]
    )
    func malformed(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test(
        "A malformed state is ignored alone",
        arguments: ["nonsense", "=a", "a=", "a=1,b", "é=1", String(repeating: "a=1,", count: 33)]
    )
    func malformedState(state: String) throws {
        #expect(try #require(TraceContext(traceparent: header, tracestate: state)).state.isEmpty)
    }

    @Test("A query's own trace is its identifier, and its spans have names of their own")
    func ownTrace() throws {
        let id = try #require(QueryID("0190163d-8694-739b-aea5-966c26f8ad91"))
        #expect(TraceID(of: id).description == "0190163d8694739baea5966c26f8ad91")
        let other = QueryID(high: id.high, low: id.low ^ 1)
        let spans = [id, other].flatMap { id in (0..<1000).map { SpanID(of: id, part: $0) } }
        #expect(Set(spans).count == 2000)
        #expect(spans.allSatisfy { $0.rawValue != 0 })
        #expect(TraceContext(trace: TraceID(of: id), parent: nil, isSampled: true).traceparent == nil)
    }

    @Test("A share of all traces is the same share everywhere")
    func share() {
        var generator = SeededGenerator(seed: 7)
        let traces = (0..<10_000).map { _ in TraceID(high: generator.next(), low: generator.next()) }
        #expect(traces.allSatisfy { $0.isAmong(share: 1) && !$0.isAmong(share: 0) })
        let few = traces.filter { $0.isAmong(share: 0.1) }
        #expect((900...1100).contains(few.count), "\(few.count)")
        #expect(few.allSatisfy { $0.isAmong(share: 0.2) })
    }
}
