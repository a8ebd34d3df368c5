import Messages
import ServingModel
import Testing

/// Bytes that another implementation wrote: Google's protobuf for Python 4.25 (and `struct` for headers), from Protos/.
@Suite("Golden bytes")
struct GoldenBytesTests {
    @Test("headers")
    func headers() throws {
        let call = FrameHeader(
            kind: .call,
            method: .generate,
            session: 0x1122_3344_5566_7788,
            stream: 3,
            bodyLength: 513
        )
        #expect(
            call.encode()
                == (try bytes(hexadecimal: "414c440101080100887766554433221103000000000000000102000000000000"))
        )
        let ping = FrameHeader(kind: .ping, session: 7, bodyLength: 0)
        #expect(
            ping.encode()
                == (try bytes(hexadecimal: "414c440101030000070000000000000000000000000000000000000000000000"))
        )
    }

    @Test("session messages")
    func sessionMessages() throws {
        try expectGolden(
            Hello(software: "aladdin/0.1", name: "wörker-1"),
            is: """
                0a0b616c616464696e2f302e31120977c3b6726b65722d31
                """
        )
        try expectGolden(
            Welcome(
                session: 0x8000_0000_0000_0005,
                broker: "b-1",
                heartbeatInterval: .seconds(1),
                sessionTimeout: .seconds(5),
                limits: SessionLimits()
            ),
            is: """
                08858080808080808080011203622d3118e8072088272a110880808002108008184020804028808008
                """
        )
        try expectGolden(
            Status(.resourceExhausted, .queueFull, "the queue is full", retryAfter: .milliseconds(1500)),
            is: """
                080810151a117468652071756575652069732066756c6c20dc0b
                """
        )
    }

    @Test("frontend messages")
    func frontendMessages() throws {
        try expectGolden(
            GenerateRequest(
                model: "tiny",
                input: .text("Once upon a time"),
                maxTokens: 64,
                sampling: Sampling(temperature: 0.7, topP: 0.9, topK: 40, seed: 0, stop: ["\n\n", "END"]),
                metadata: [MetadataEntry("aladdin-ttft", "500ms"), MetadataEntry("tenant", "")]
            ),
            is: """
                0a0474696e7912104f6e63652075706f6e20612074696d652840321f09666666666666e63f11cdccccccccccec3f1828
                22002a020a0a2a03454e443a150a0c616c616464696e2d7474667412053530306d733a080a0674656e616e74
                """
        )
        try expectGolden(
            GenerateRequest(input: .chat([ChatMessage(role: "user", content: "héllo ☃")]), maxTokens: 1),
            is: """
                1a140a120a0475736572120a68c3a96c6c6f20e298832801320911000000000000f03f
                """
        )
        try expectGolden(
            GenerateEvent.tokens(TokensEvent(firstIndex: 5, count: 3, ids: [0, 300, .max], text: " the cat")),
            is: """
                1a18080510031a0800ac02ffffffff0722082074686520636174
                """
        )
        try expectGolden(
            AttachRequest(queryID: "0190163d-8694-739b-aea5-966c26f8ad91", firstIndex: 17),
            is: """
                0a2430313930313633642d383639342d373339622d616561352d3936366332366638616439311011
                """
        )
        try expectGolden(
            ModelList(models: [ModelEntry(name: "tiny", workers: 2, contextLength: 2048, engine: "cpu")]),
            is: """
                0a100a0474696e7910021880102203637075
                """
        )
    }

    @Test("worker reports")
    func workerReports() throws {
        try expectGolden(
            WorkerReport.registration(
                WorkerRegistration(
                    name: "w1",
                    engine: "cpu",
                    contextLength: 2048,
                    resumesPrefix: true,
                    batching: .prefillPriority,
                    profile: goldenProfile
                )
            ),
            is: """
                0abd010a027731120474696e791a036370752080102801321070726566696c6c2d7072696f726974793a94010a036370
                75100119000000000000f83f21000000000000d03f29000000000000c03f31f168e388b5f8e43e390000000000008040
                41000000000000e03f49000000000000104051fca9f1d24d62503f59000000000000b03f61000000000000204069b81e
                85eb51b89e3f7801800180800488011091017b14ae47e17a843f99010000000000000041a0018002a8018040b0018010
                """
        )
        try expectGolden(
            WorkerReport.step(
                StepReport(
                    workload: StepWorkload(
                        kind: .mixed,
                        prefillTokens: 100,
                        prefillSquares: 10_000,
                        decodeSequences: 2,
                        contextTokens: 345
                    ),
                    duration: Interval(nanoseconds: 12_345_000),
                    progress: [
                        LeaseProgress(
                            lease: Lease(rawValue: 91),
                            tokens: TokensEvent(firstIndex: 0, count: 1, ids: [42], text: "A")
                        ),
                        LeaseProgress(
                            lease: Lease(rawValue: 92),
                            tokens: TokensEvent(firstIndex: 9, count: 1, ids: [2], text: ""),
                            finished: FinishedEvent(reason: .stop, inputTokens: 12, outputTokens: 10)
                        ),
                        LeaseProgress(
                            lease: Lease(rawValue: 93),
                            failed: Status(.internalError, .engineFailed, "boom")
                        ),
                    ],
                    waiting: 3,
                    freeKVTokens: 60_000
                )
            ),
            is: """
                1a4a0a0c0803106418904e200228d90210b9601a0c085b120810011a012a2201411a13085c1207080910011a01021a06
                0801100c180a1a0e085d220a080d10291a04626f6f6d200328e0d403
                """
        )
    }

    @Test("worker commands")
    func workerCommands() throws {
        try expectGolden(
            WorkerCommand.batch([
                WireAssignment(
                    lease: Lease(rawValue: 91),
                    queryID: "q",
                    attempt: 2,
                    remaining: .seconds(30),
                    request: [0, 1, 255],
                    resumedTokens: [1, 2, 3]
                )
            ]),
            is: """
                12170a15085b120171180220b0ea012a030001ff3203010203
                """
        )
        try expectGolden(
            WorkerCommand.cancel([Lease(rawValue: 1), Lease(rawValue: .max)]),
            is: """
                1a0d0a0b01ffffffffffffffffff01
                """
        )
    }

    private var insight: Insight {
        var profile = goldenProfile
        profile.model = ""
        let worker = WorkerInsight(
            worker: WorkerID(rawValue: 3),
            profile: profile,
            stepError: 0.05,
            stepBias: -0.01,
            steps: 1000
        )
        return Insight(workers: [worker], decisions: 77, decisionP50Microseconds: 12.5, decisionP99Microseconds: 99)
    }

    @Test("scheduler reports")
    func schedulerReports() throws {
        try expectGolden(
            SchedulerReport.placements([
                Placement(
                    query: QueryNumber(rawValue: 7),
                    attempt: 1,
                    worker: WorkerID(rawValue: 3),
                    predictedTimeToFirstToken: .milliseconds(250)
                ),
                Placement(
                    query: QueryNumber(rawValue: 8),
                    attempt: 2,
                    worker: WorkerID(rawValue: 3),
                    predictedTimeToFirstToken: nil
                ),
            ]),
            is: """
                12140a0a0807100118032090a10f0a06080810021803
                """
        )
        try expectGolden(
            SchedulerReport.insight(insight),
            is: """
                1ac5010aae0108031294010a03637075100119000000000000f83f21000000000000d03f29000000000000c03f31f168
                e388b5f8e43e39000000000000804041000000000000e03f49000000000000104051fca9f1d24d62503f590000000000
                00b03f61000000000000204069b81e85eb51b89e3f7801800180800488011091017b14ae47e17a843f99010000000000
                000041a0018002a8018040b0018010199a9999999999a93f217b14ae47e17a84bf28e807104d19000000000000294021
                0000000000c05840
                """
        )
        let wish = FleetWish(
            model: "tiny",
            workers: 7,
            gpusPerWorker: 2,
            reason: "demand",
            active: 3,
            starting: 4,
            offeredLoad: 5.5
        )
        try expectGolden(
            SchedulerReport.wishes([wish]),
            is: """
                22210a1f0a0474696e7910071802220664656d616e6428033004390000000000001640
                """
        )
    }
}
