import Messages
import ServingModel
import Testing

@Suite("Encoding and decoding")
struct RoundTripTests {
    /// Draws values and expects each to survive; `Hashable` compares every field.
    private func expectRoundTrips<Message: WireMessage & Drawable & Hashable>(
        _ type: Message.Type,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var random = SeededGenerator(seed: 20_260_731)
        for round in 0..<400 {
            let message = Message.draw(&random)
            let bytes = message.encode()
            let decoded = try Message.decode(bytes)
            guard decoded != message else { continue }
            Issue.record("round \(round): \(message) became \(decoded)", sourceLocation: sourceLocation)
            return
        }
    }

    @Test("session messages come back as they were sent")
    func sessionMessages() throws {
        try expectRoundTrips(Hello.self)
        try expectRoundTrips(Welcome.self)
        try expectRoundTrips(Status.self)
    }

    @Test("frontend messages come back as they were sent")
    func frontendMessages() throws {
        try expectRoundTrips(GenerateRequest.self)
        try expectRoundTrips(GenerateEvent.self)
        try expectRoundTrips(AttachRequest.self)
        try expectRoundTrips(AcknowledgeRequest.self)
        try expectRoundTrips(CancelRequest.self)
        try expectRoundTrips(ModelList.self)
    }

    @Test("worker messages come back as they were sent")
    func workerMessages() throws {
        try expectRoundTrips(WorkerReport.self)
        try expectRoundTrips(WorkerCommand.self)
    }

    @Test("scheduler messages come back as they were sent")
    func schedulerMessages() throws {
        try expectRoundTrips(SchedulerReport.self)
        try expectRoundTrips(ClusterEvents.self)
    }

    @Test("a cluster's status and a query's explanation come back as they were sent")
    func adminMessages() throws {
        try expectRoundTrips(GetStatusRequest.self)
        try expectRoundTrips(ClusterStatus.self)
        try expectRoundTrips(ExplainRequest.self)
        try expectRoundTrips(QueryExplanation.self)
    }

    @Test("headers come back as they were sent")
    func headers() throws {
        var random = SeededGenerator(seed: 1)
        let methods = Method.allCases.filter { $0 != .unspecified }
        for _ in 0..<400 {
            let kind = try #require(FrameKind.allCases.randomElement(using: &random))
            let length = random.number(upTo: largestUInt32)
            let method = try #require(methods.randomElement(using: &random))
            let header = FrameHeader(
                kind: kind,
                method: kind.belongsToStream ? method : .unspecified,
                session: random.word(),
                stream: kind.belongsToStream ? max(1, random.word()) : 0,
                bodyLength: length
            )
            #expect(try FrameHeader(decoding: header.encode(), bodyLength: length) == header)
        }
    }

    @Test("an empty message has an empty body")
    func emptyMessages() throws {
        #expect(Hello(software: "", name: "").encode().isEmpty)
        #expect(try Hello.decode([]) == Hello(software: "", name: ""))
        #expect(try Status.decode([]) == .ok)
        #expect(try ModelList.decode([]) == ModelList(models: []))
        #expect(try ClusterStatus.decode([]) == ClusterStatus())
    }

    @Test("a step of 4096 sequences and a snapshot of 20,000 events fit their budgets")
    func largeHonestMessages() throws {
        let tokens = TokensEvent(firstIndex: 0, count: 1, ids: [1], text: "")
        let progress = (1...4096).map { LeaseProgress(lease: Lease(rawValue: $0), tokens: tokens) }
        let step = WorkerReport.step(
            StepReport(workload: nil, duration: .zero, progress: progress, waiting: 0, freeKVTokens: 0)
        )
        #expect(try WorkerReport.decode(step.encode()) == step)

        let dispatches = (1...10_000).map {
            ClusterEvent.queryDispatched(QueryNumber(rawValue: $0), to: WorkerID(rawValue: 1), attempt: 1)
        }
        let departures = (1...10_000).map { ClusterEvent.workerLeft(WorkerID(rawValue: $0), isDraining: false) }
        let events = ClusterEvents(firstNumber: 0, events: dispatches + departures)
        #expect(try ClusterEvents.decode(events.encode()) == events)

        let chat = GenerateRequest(
            input: .chat((0..<2000).map { ChatMessage(role: "user", content: "message \($0), some words") }),
            maxTokens: 1
        )
        #expect(try GenerateRequest.decode(chat.encode()) == chat)
    }
}
