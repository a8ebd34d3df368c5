internal import AladdinClient
internal import ServingModel
internal import Testing

@Suite("The stand-in for a query service", .timeLimit(.minutes(2)))
struct StandInServiceTests {
    private let request = QueryRequest(input: .text("x"), maxTokens: 1)

    @Test("plays its script to each query")
    func script() async throws {
        let service = StandInService(script: .hello)
        for _ in 0..<2 {
            var events: [QueryEvent] = []
            for try await event in service.generate(request) { events.append(event) }
            #expect(events == .hello)
        }
    }

    @Test("hands queries to the test in order and ends them as told")
    func handsOver() async throws {
        let service = StandInService()
        let stream = service.generate(request)
        let query = try await service.nextQuery()
        #expect(query.request == request)
        query.fail(Status(.unavailable, .noWorker))
        await #expect(throws: Status(.unavailable, .noWorker)) { for try await _ in stream {} }
        #expect(await query.wasCancelled() == false)
    }

    @Test("notices that its stream is dropped")
    func dropped() async throws {
        let service = StandInService()
        do {
            let stream = service.generate(request)
            _ = consume stream
        }
        #expect(try await service.nextQuery().wasCancelled())
    }
}
