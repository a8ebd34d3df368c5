import Messages
import ServingModel
import Testing

@Suite("Messages as values")
struct ValueTests {
    @Test("A body gives the message that it is, or that its bytes say")
    func bodies() throws {
        let event = GenerateEvent.tokens(TokensEvent(firstIndex: 3, count: 1, ids: [7], text: "ü"))
        #expect(try FrameBody.message(event).decoded(as: GenerateEvent.self) == event)
        #expect(try FrameBody.bytes(event.encode()).decoded(as: GenerateEvent.self) == event)
        #expect(FrameBody.message(event).bytes == event.encode())
        #expect(throws: DecodingFailure.self) { try FrameBody.bytes([255]).decoded(as: GenerateEvent.self) }
        let other = try FrameBody.message(event).decoded(as: WorkerCommand.self)
        #expect(try other == WorkerCommand.decode(event.encode()), "another type than it is, from its bytes")
    }

    /// Draws messages; those that travel as values are what their bytes say.
    private func expectFaithful<Message: WireMessage & Drawable & Hashable>(_ type: Message.Type) throws {
        var random = SeededGenerator(seed: 20_261_129)
        var travelling = 0
        for _ in 0..<400 {
            let message = Message.draw(&random)
            guard message.travelsAsValue else { continue }
            travelling += 1
            let decoded = try Message.decode(message.encode())
            #expect(decoded == message)
        }
        #expect(travelling > 100, "\(type) mostly travels as bytes")
    }

    @Test("What travels as a value is what its bytes say")
    func faithful() throws {
        try expectFaithful(GenerateRequest.self)
        try expectFaithful(GenerateEvent.self)
        try expectFaithful(Status.self)
        try expectFaithful(WorkerReport.self)
        try expectFaithful(WorkerCommand.self)
        try expectFaithful(ClusterEvents.self)
    }

    @Test("A request's size is known without encoding it")
    func sizes() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<400 {
            let request = GenerateRequest.draw(&random)
            guard request.travelsAsValue else { continue }
            #expect(request.encodedByteCount == request.encode().count)
        }
        let large = GenerateRequest(input: .text(String(repeating: "a", count: 100_000)), maxTokens: 3)
        #expect(large.encodedByteCount == large.encode().count)
        #expect(GenerateRequest(input: .tokens([]), maxTokens: 0).encodedByteCount == 13)
    }

    private func request(_ change: (inout GenerateRequest) -> Void) -> GenerateRequest {
        var request = GenerateRequest(model: "m", input: .text("t"), maxTokens: 1, metadata: [MetadataEntry("k", "v")])
        change(&request)
        return request
    }

    @Test("A request that encoding would change travels as bytes")
    func unusualRequests() {
        #expect(request { _ in }.travelsAsValue)
        for (name, change) in [
            ("text", { $0.input = .text("a\0b") }),
            ("message", { $0.input = .chat([ChatMessage(role: "user", content: "\0")]) }),
            ("tokens", { $0.input = .tokens([1, -1]) }),
            ("model", { $0.model = "\0" }),
            ("metadata", { $0.metadata = [MetadataEntry("k", "\0")] }),
            ("stop", { $0.sampling.stop = ["\0"] }),
            ("max_tokens", { $0.maxTokens = -1 }),
            ("temperature", { $0.sampling.temperature = .nan }),
            ("top_p of infinity", { $0.sampling.topP = .infinity }),
            ("top_p of 0", { $0.sampling.topP = 0 }),
            ("top_k", { $0.sampling.topK = -1 }),
        ] as [(String, (inout GenerateRequest) -> Void)] {
            #expect(!request(change).travelsAsValue, "\(name)")
        }
    }

    private func step(_ tokens: TokensEvent) -> WorkerReport {
        let progress = [LeaseProgress(lease: Lease(rawValue: 1), tokens: tokens)]
        return .step(StepReport(workload: nil, duration: .zero, progress: progress, waiting: 0, freeKVTokens: 0))
    }

    @Test("A report that would be refused, or read as another, travels as bytes")
    func unusualReports() {
        #expect(step(TokensEvent(firstIndex: 0, count: 1, ids: [1], text: "a")).travelsAsValue)
        #expect(!step(TokensEvent(firstIndex: 0, count: 2, ids: [1], text: "a")).travelsAsValue)
        #expect(!step(TokensEvent(firstIndex: -1, count: 1, ids: [], text: "a")).travelsAsValue)
        #expect(!step(TokensEvent(firstIndex: 0, count: 1, ids: [-1], text: "a")).travelsAsValue)
        #expect(!step(TokensEvent(firstIndex: 0, count: 1, ids: [], text: "\0")).travelsAsValue)
        #expect(!Status(.unknown, .none, "\0").travelsAsValue)
    }

    private func placement(_ explanation: PlacementExplanation) -> SchedulerReport {
        .placements([
            Placement(
                query: QueryNumber(rawValue: 1),
                attempt: 1,
                worker: WorkerID(rawValue: 1),
                predictedTimeToFirstToken: nil,
                explanation: explanation
            )
        ])
    }

    @Test("An explanation beyond what one may hold travels as bytes, which have less of it")
    func unusualExplanations() {
        func candidate(_ value: Double) -> PlacementExplanation.Candidate {
            PlacementExplanation.Candidate(
                worker: WorkerID(rawValue: 1),
                terms: [PlacementExplanation.Term("cost", value)]
            )
        }
        func explanation(_ candidates: [PlacementExplanation.Candidate]) -> PlacementExplanation {
            PlacementExplanation(reason: "r", held: .zero, batch: 1, candidates: candidates)
        }
        #expect(placement(explanation([candidate(1)])).travelsAsValue)
        #expect(!placement(explanation([candidate(.infinity)])).travelsAsValue)
        let many = [PlacementExplanation.Candidate](
            repeating: candidate(1),
            count: PlacementExplanation.maximumCandidates + 1
        )
        #expect(!placement(explanation(many)).travelsAsValue)
        #expect(!SchedulerReport.registration(policy: "jsq", isStandby: false).travelsAsValue)
    }
}
