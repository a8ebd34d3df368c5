internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("A query's transcript")
struct QueryTranscriptTests {
    private func tokens(_ firstIndex: Int, _ text: String) -> QueryEvent {
        .tokens(firstIndex: firstIndex, count: text.utf8.count, ids: [], text: text)
    }

    @Test("follows a query from start to end")
    func follows() throws {
        var transcript = QueryTranscript(keepsText: true)
        let changes = try [QueryEvent].hello.map { try transcript.apply($0) }
        #expect(
            changes == [.nothing, .started, .tokens(1, text: "Hello"), .tokens(2, text: ", world"), .finished]
        )
        #expect(transcript.id == "q-1")
        #expect(transcript.worker == "w1")
        #expect(transcript.text == "Hello, world")
        #expect(transcript.nextIndex == 3)
        #expect(transcript.ending == .init(reason: .stop, inputTokens: 5, outputTokens: 3))
    }

    @Test("forgets what is taken back, however far", arguments: [(6, "abcdef"), (4, "abcd"), (2, "ab"), (0, "")])
    func takesBack(index: Int, text: String) throws {
        var transcript = QueryTranscript(keepsText: true)
        for (index, text) in [(0, "ab"), (2, "cd"), (4, "ef")] { _ = try transcript.apply(tokens(index, text)) }
        #expect(try transcript.apply(.reset(firstIndex: index)) == (index < 6 ? .tookBack : .nothing))
        #expect(transcript.text == text)
        #expect(try transcript.apply(tokens(index, "!")) == .tokens(1, text: "!"))
        #expect(transcript.text == text + "!")
    }

    @Test("ignores tokens it has, and fails rather than leave a hole or cut a text in two")
    func consecutive() throws {
        var transcript = QueryTranscript(keepsText: true)
        _ = try transcript.apply(tokens(0, "abc"))
        #expect(try transcript.apply(tokens(1, "bc")) == .nothing)
        #expect(transcript.text == "abc")
        #expect(throws: Status.self) { try transcript.apply(tokens(4, "e")) }
        #expect(throws: Status.self) { try transcript.apply(tokens(2, "cd")) }
        #expect(throws: Status.self) { try transcript.apply(.reset(firstIndex: 1)) }
    }

    @Test("keeps no text for a stream")
    func streaming() throws {
        var transcript = QueryTranscript(keepsText: false)
        _ = try transcript.apply(tokens(0, "abc"))
        #expect(transcript.text.isEmpty)
        #expect(try transcript.apply(.reset(firstIndex: 2)) == .tookBack)
    }

    @Test("times the first token and the gaps after it")
    func meter() {
        let start = ContinuousClock.now
        var meter = LatencyMeter(arrival: start)
        #expect(meter.note(tokens: 0, at: start + .seconds(1)) == nil)
        #expect(meter.note(tokens: 1, at: start + .seconds(2)) == .seconds(2))
        #expect(meter.averageTokenTime == nil)
        #expect(meter.note(tokens: 2, at: start + .seconds(6)) == nil)
        #expect(meter.averageTokenTime == .seconds(2))
    }
}
