import Brokering
import ServingModel
import Testing

@Suite("Readers of an answer")
struct ReaderTests {
    private func running() throws -> (rig: BrokerRig, stream: StreamKey, lease: Lease) {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        return (rig, stream, lease)
    }

    @Test("A slow reader gets what it missed as one message, and is announced once")
    func coalesces() throws {
        var (rig, stream, lease) = try running()
        _ = rig.read(stream)
        for index in 0..<4 { rig.step(1, .tokens(lease, from: index)) }
        #expect(rig.act() == [.announce(stream)])
        #expect(rig.read(stream) == [.tokens(from: 0, count: 4)])
        rig.step(1, .tokens(lease, from: 4))
        #expect(rig.act() == [.announce(stream)])
    }

    @Test("Two readers at different paces read the same answer; one may leave")
    func twoReaders() throws {
        var (rig, stream, lease) = try running()
        _ = rig.read(stream)
        rig.step(1, .tokens(lease, from: 0, count: 2))
        #expect(rig.read(stream) == [.tokens(from: 0, count: 2)])
        let other = try rig.attach(to: stream, from: 1)
        // An index within a piece is served from the piece's beginning, and whoever knows some of it is told to forget that.
        #expect(
            rig.read(other) == [
                .accepted(try rig.id(stream), .volatile, isDuplicate: false), .reset(firstIndex: 0),
                .started(worker: "w1", attempt: 1, predictedTimeToFirstToken: nil), .tokens(from: 0, count: 2),
            ]
        )
        #expect(rig.cancel(stream) == true)
        #expect(rig.act().flatMap(\.revoked).isEmpty)
        rig.step(1, .tokens(lease, from: 2, finish: .length))
        #expect(rig.read(stream).isEmpty)
        #expect(
            rig.read(other) == [
                .tokens(from: 2, count: 1), .finished(.length, inputTokens: 3, outputTokens: 3), .end(.ok),
            ]
        )
    }

    @Test("An ended answer can be read again from any index up to its bound, from no other")
    func attachesToEnded() throws {
        var (rig, stream, lease) = try running()
        rig.step(1, .tokens(lease, from: 0, count: 2), .tokens(lease, from: 2, finish: .stop))
        _ = rig.read(stream)
        let late = try rig.attach(to: stream, from: 2)
        #expect(
            rig.read(late).suffix(3) == [
                .tokens(from: 2, count: 1), .finished(.stop, inputTokens: 3, outputTokens: 3), .end(.ok),
            ]
        )
        let beyond = try rig.attach(to: stream, from: 8)
        #expect(rig.read(beyond).last == .end(.ok))
        for index in [-1, 9, Int.max] {
            #expect(try refusal { _ = try rig.attach(to: stream, from: index) }.code == .outOfRange)
        }
        let stranger = StreamKey(session: SessionID(rawValue: 9), stream: 1)
        let status = try refusal { try rig.broker.attach(Attachment(query: QueryID(high: 5, low: 5)), by: stranger) }
        #expect(status.reason == .unknownQuery)
    }

    @Test("Long text is cut at token boundaries, never inside a character")
    func cutsLongText() throws {
        var (rig, stream, lease) = try running()
        _ = rig.read(stream)
        let texts = (0..<4).map { String(repeating: "ä\($0)", count: 15_000) }
        for (index, text) in texts.enumerated() {
            var report = LeaseReport(lease: lease)
            (report.firstIndex, report.tokens, report.text) = (index, 1, text)
            rig.step(1, report)
        }
        let deliveries = rig.read(stream)
        #expect(deliveries.count == 4)
        for (delivery, text) in zip(deliveries, texts) {
            guard case .tokens(_, 1, [], text) = delivery else {
                Issue.record("another token than sent")
                return
            }
        }
    }

    @Test("An output log serves every index with whole entries")
    func outputLog() throws {
        var log = OutputLog()
        log.append(count: 2, ids: [1, 2], text: "ab")
        log.append(count: 1, ids: [3], text: "")
        log.append(count: 3, ids: [4, 5, 6], text: "cdé")
        #expect(log.isResumable && log.byteCount == 6)
        let starts = [0, 0, 2, 3, 3, 3]
        for (index, start) in starts.enumerated() {
            let chunk = try #require(log.chunk(from: index, limit: 0))
            #expect(chunk.firstIndex == start)
            #expect(chunk.ids.count == chunk.count)
        }
        let all = try #require(log.chunk(from: 0, limit: 100))
        #expect(all.count == 6 && all.text == "abcdé" && all.ids == [1, 2, 3, 4, 5, 6])
        #expect(log.chunk(from: 6, limit: 100) == nil)
        log.append(count: 1, ids: [], text: "?")
        #expect(!log.isResumable)
        #expect(log.chunk(from: 6, limit: 100)?.ids == [])
    }
}
