import Messages
import ServingModel
import Testing

/// Bytes that another implementation wrote: Google's protobuf for Python 4.25, from Protos/.
@Suite("Golden bytes of explanations")
struct GoldenExplanationBytesTests {
    private let explanation = PlacementExplanation(
        reason: "earliest first token",
        held: .milliseconds(410),
        batch: 6,
        candidates: [
            .init(worker: WorkerID(rawValue: 3), terms: [.init("ttft_ms", 612.5), .init("hazard", 0.125)]),
            .init(
                worker: WorkerID(rawValue: 4),
                terms: [.init("ttft_ms", -1)],
                failed: "pace: 131 ms is above 100 ms"
            ),
        ]
    )

    @Test("a placement with predictions and its explanation, and one without")
    func placements() throws {
        try expectGolden(
            SchedulerReport.placements([
                Placement(
                    query: QueryNumber(rawValue: 7),
                    attempt: 2,
                    worker: WorkerID(rawValue: 3),
                    predictedTimeToFirstToken: Interval(nanoseconds: 612_500_000),
                    predictedTokenTime: .milliseconds(28),
                    explanation: explanation
                ),
                Placement(
                    query: QueryNumber(rawValue: 8),
                    attempt: 1,
                    worker: WorkerID(rawValue: 4),
                    predictedTimeToFirstToken: nil
                ),
            ]),
            is: """
                1298010a8d010807100218032094b12528e0da01327d0a146561726c6965737420666972737420746f6b656e109083
                1918062229080312120a07747466745f6d7311000000000024834012110a0668617a61726411000000000000c03f22
                34080412120a07747466745f6d7311000000000000f0bf1a1c706163653a20313331206d732069732061626f766520
                313030206d730a06080810011804
                """
        )
    }

    private var query: QueryExplanation {
        var query = QueryExplanation(
            id: QueryID(high: 0x0190_163d_8694_739b, low: 0xaea5_966c_26f8_ad91),
            model: "tiny",
            objective: .standard
        )
        query.tenant = "acme"
        query.priority = -2
        query.state = .ended(.ok)
        query.age = .seconds(5)
        query.inputTokens = 12
        query.maxTokens = 64
        query.outputTokens = 40
        query.firstToken = .milliseconds(640)
        query.ended = .milliseconds(1840)
        query.averageTokenTime = Interval(nanoseconds: 30_769_000)
        query.metObjective = true
        query.workers = [NamedWorker(worker: WorkerID(rawValue: 3), name: "w3")]
        query.attempts = [lost, answered]
        return query
    }

    private var lost: QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: 1,
            worker: WorkerID(rawValue: 4),
            workerName: "w4",
            policy: "",
            placed: Interval(nanoseconds: 100_000)
        )
        attempt.dispatched = Interval(nanoseconds: 200_000)
        attempt.failure = Status(.unavailable, .workerLost, "its worker was lost")
        attempt.failed = .milliseconds(300)
        return attempt
    }

    private var answered: QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: 2,
            worker: WorkerID(rawValue: 3),
            workerName: "w3",
            policy: "aladdin",
            placed: .milliseconds(410)
        )
        attempt.placements = 2
        attempt.dispatched = .milliseconds(412)
        attempt.firstToken = .milliseconds(640)
        attempt.predictedTimeToFirstToken = Interval(nanoseconds: 612_500_000)
        attempt.predictedTokenTime = .milliseconds(28)
        attempt.explanation = explanation
        return attempt
    }

    @Test("a query that was tried twice")
    func queryExplanation() throws {
        try expectGolden(
            query,
            is: """
                0a2430313930313633642d383639342d373339622d616561352d393636633236663861643931120474696e791a0461
                636d6520032a05656e646564320038c096b102400c4801504058286080897a68a08d06722e080110041a0277342864
                300138c8014a19080e10281a1369747320776f726b657220776173206c6f737450e0a71272a601080210031a027733
                2207616c616464696e28908319300238e09219408088275894b12560e0da016a7d0a146561726c6965737420666972
                737420746f6b656e1090831918062229080312120a07747466745f6d7311000000000024834012110a0668617a6172
                6411000000000000c03f2234080412120a07747466745f6d7311000000000000f0bf1a1c706163653a20313331206d
                732069732061626f766520313030206d7378808827800180a7708801b1f001900101980101a20106080312027733
                """
        )
    }

    @Test("the question")
    func request() throws {
        try expectGolden(ExplainRequest(queryID: "0190"), is: "0a0430313930")
    }
}
