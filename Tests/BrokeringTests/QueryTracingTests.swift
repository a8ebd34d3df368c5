import Brokering
import ServingModel
import Testing

@Suite("Tracing at the broker")
struct QueryTracingTests {
    private let given = TraceContext(trace: TraceID(high: 7, low: 8), parent: SpanID(rawValue: 9), isSampled: true)

    private func rig(share: Double?, journaled recovery: Recovery? = nil) -> BrokerRig {
        var rig = BrokerRig(journaled: recovery) { $0.tracedShare = share }
        rig.join(1)
        return rig
    }

    private func traces(_ actions: [BrokerAction]) -> [QueryTrace] {
        actions.compactMap { if case .trace(let trace) = $0 { trace } else { nil } }
    }

    /// Runs a query to its end; what the worker was told, and what is traced.
    private func run(
        _ rig: inout BrokerRig,
        _ context: TraceContext?
    ) throws -> (told: TraceContext?, traces: [QueryTrace], id: QueryID) {
        let stream = try rig.submit { $0.trace = context }
        let assignment = try #require(rig.dispatched().first)
        rig.tick(after: .milliseconds(40))
        rig.step(1, .tokens(assignment.lease, from: 0, count: 2, finish: .stop))
        return (assignment.trace, traces(rig.act()), try rig.id(stream))
    }

    @Test("A sampled query is told of at its end, and its worker works for the query's span")
    func sampled() throws {
        var rig = rig(share: 0)
        let (told, traces, id) = try run(&rig, given)
        #expect(told == given.within(SpanID(of: id, part: 0)))
        let trace = try #require(traces.first)
        #expect(traces.count == 1 && trace.context == given && trace.finish == "stop")
        #expect(trace.accepted == .zero)
        #expect(trace.explanation.id == id && trace.explanation.firstToken == .milliseconds(40))
        #expect(trace.explanation.state == .ended(.ok))
    }

    @Test("Who does not want to be sampled is not, and the worker hears of the client's span")
    func unsampled() throws {
        var rig = rig(share: 1)
        var context = given
        context.isSampled = false
        let (told, traces, _) = try run(&rig, context)
        #expect(told == context && traces.isEmpty)
    }

    @Test("A query without a context has a trace of its own, if it is in the share")
    func ownTrace() throws {
        var all = rig(share: 1)
        let (told, traces, id) = try run(&all, nil)
        #expect(told?.trace == TraceID(of: id) && told?.parent == SpanID(of: id, part: 0))
        #expect(traces.first?.context.parent == nil && traces.first?.context.trace == TraceID(of: id))
        var none = rig(share: 0)
        let silent = try run(&none, nil)
        #expect(silent.told == nil && silent.traces.isEmpty)
    }

    @Test("A broker that traces nothing passes the client's context on")
    func off() throws {
        var rig = rig(share: nil)
        let (told, traces, _) = try run(&rig, given)
        #expect(told == given && traces.isEmpty)
        let none = try run(&rig, nil)
        #expect(none.told == nil)
    }

    @Test("It is accepted when the journal has it")
    func accepted() throws {
        var rig = rig(share: 1, journaled: Recovery())
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.now = rig.now + .milliseconds(3)
        rig.broker.journaled(through: 1, at: rig.now)
        rig.tick(after: .milliseconds(40))
        rig.step(1, .tokens(lease, from: 0, count: 2, finish: .stop))
        let trace = try #require(traces(rig.act()).first)
        #expect(trace.accepted == .milliseconds(3))
        #expect(trace.explanation.id == (try rig.id(stream)))
    }

    @Test("A query that ends before the journal has its acceptance is told of when it has")
    func lateAcceptance() throws {
        var rig = rig(share: 1, journaled: Recovery())
        _ = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.step(1, .tokens(lease, from: 0, count: 2, finish: .stop))
        #expect(traces(rig.act()).isEmpty)
        rig.now = rig.now + .milliseconds(5)
        rig.broker.journaled(through: 1, at: rig.now)
        let told = traces(rig.act())
        #expect(told.map(\.accepted) == [.milliseconds(5)])
        #expect(told.first?.explanation.ended == .zero)
    }

    @Test("Cancelled and failed queries are told of, too")
    func cancelled() throws {
        var rig = rig(share: 1)
        let stream = try rig.submit()
        _ = rig.act()
        let isCancelled = rig.cancel(stream)
        #expect(isCancelled)
        let trace = try #require(traces(rig.act()).first)
        guard case .ended(let status) = trace.explanation.state else {
            Issue.record("it has ended")
            return
        }
        #expect(status.code == .cancelled)
    }

    @Test("A context in the metadata is read, one that is malformed ignored")
    func metadata() throws {
        func submission(_ parent: String, _ state: String) throws -> Submission {
            try Submission(
                model: "m",
                input: .chat([ChatMessage(role: "user", content: "Hi")]),
                maxTokens: 1,
                sampling: Sampling(),
                metadata: [("traceparent", parent), ("tracestate", state)],
                request: [1],
                configuration: BrokerConfiguration()
            )
        }
        let header = "00-00000000000000070000000000000008-0000000000000009-01"
        let read = try submission(header, "a=b")
        #expect(read.trace?.traceparent == header && read.trace?.state == "a=b" && read.operation == .chat)
        #expect(try submission("00-nonsense", "a=b").trace == nil)
        #expect(try submission(header, "nonsense").trace == given)
    }
}
