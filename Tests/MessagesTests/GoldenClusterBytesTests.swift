import Messages
import ServingModel
import Testing

/// Bytes that another implementation wrote: Google's protobuf for Python 4.25 (and `struct` for headers), from Protos/.
@Suite("Golden bytes of the cluster's messages")
struct GoldenClusterBytesTests {
    private var events: [ClusterEvent] {
        let worker = WorkerID(rawValue: 3)
        let query = QueryNumber(rawValue: 7)
        return [
            .workerJoined(
                WorkerJoined(
                    worker: worker,
                    name: "w1",
                    engine: "cpu",
                    contextLength: 2048,
                    resumesPrefix: true,
                    batching: .prefillPriority,
                    profile: goldenProfile
                )
            ),
            .queryQueued(
                QueuedQuery(
                    number: query,
                    id: QueryID(high: 0x0190_163d_8694_739b, low: 0xaea5_966c_26f8_ad91),
                    model: "tiny",
                    attempt: 1,
                    age: Interval(nanoseconds: 1_500_000),
                    inputTokens: 0,
                    promptBytes: 16,
                    maxTokens: 64,
                    outputTokensHint: 20,
                    outputTokens: 0,
                    objective: .standard,
                    priority: -2,
                    tenant: "acme",
                    remaining: .seconds(30)
                )
            ),
            .queryDispatched(query, to: worker, attempt: 1),
            .stepCompleted(
                StepCompleted(
                    worker: worker,
                    workload: StepWorkload(kind: .decode, decodeSequences: 2, contextTokens: 40),
                    duration: .milliseconds(8),
                    advanced: [
                        .init(query: query, tokens: 1), .init(query: QueryNumber(rawValue: 1 << 40), tokens: 2),
                    ],
                    waiting: 1,
                    freeKVTokens: 64_000
                )
            ),
            .queryEnded(QueryEnded(query: query, code: .cancelled, inputTokens: 12, outputTokens: 3)),
            .workerLeft(worker, isDraining: true),
            .snapshotComplete,
        ]
    }

    @Test("cluster events")
    func clusterEvents() throws {
        try expectGolden(
            ClusterEvents(firstNumber: 1000, events: events),
            is: """
                08e80712c5010ac201080312bd010a027731120474696e791a036370752080102801321070726566696c6c2d7072696f
                726974793a94010a03637075100119000000000000f83f21000000000000d03f29000000000000c03f31f168e388b5f8
                e43e39000000000000804041000000000000e03f49000000000000104051fca9f1d24d62503f59000000000000b03f61
                000000000000204069b81e85eb51b89e3f7801800180800488011091017b14ae47e17a843f99010000000000000041a0
                018002a8018040b001801012531a510807122430313930313633642d383639342d373339622d616561352d3936366332
                366638616439311a0474696e79200128dc0b38014010484050146080897a68a08d0670037a0461636d6580018087a70e
                1208220608071003180112222a200803120608022002282818c03e2207078080808080202a02010230013880f403120a
                320808071001180c2003120612040803100112023a00
                """
        )
    }

    private var status: ClusterStatus {
        var status = ClusterStatus()
        status.broker = "b-1"
        status.version = "0.1.0"
        status.uptime = .seconds(61)
        status.policy = "aladdin"
        status.decisions = 5
        status.decisionP50Microseconds = 10
        status.decisionP99Microseconds = 20.5
        status.workers = [workerStatus]
        status.models = [modelStatus]
        status.frontendSessions = 2
        return status
    }

    private var workerStatus: WorkerStatus {
        var status = WorkerStatus(worker: WorkerID(rawValue: 3), name: "w1", engine: "cpu", profile: goldenProfile)
        status.isDraining = true
        status.queued = 1
        status.waiting = 2
        status.running = 3
        status.freeKVTokens = 100
        status.queriesCompleted = 9
        status.outputTokens = 99
        status.stepError = 0.1
        status.stepBias = -0.1
        status.steps = 50
        status.lastStepAge = .milliseconds(12)
        return status
    }

    private var modelStatus: ModelStatus {
        var status = ModelStatus(model: "tiny")
        status.workers = 1
        status.queued = 4
        status.running = 3
        status.completed = 9
        status.failed = 1
        status.cancelled = 2
        status.refused = 3
        status.retried = 4
        status.outputTokens = 99
        status.wastedTokens = 5
        status.attainment = 0.875
        status.timeToFirstToken = summary(100, 200, 300, count: 9)
        status.averageTokenTime = summary(10, 20, 30, count: 8)
        status.predictions = errors((0.2, 0.05, 0), (0, 0, 0))
        return status
    }

    private func summary(_ p50: Double, _ p90: Double, _ p99: Double, count: UInt64) -> LatencySummary {
        var summary = LatencySummary()
        summary.p50Milliseconds = p50
        summary.p90Milliseconds = p90
        summary.p99Milliseconds = p99
        summary.count = count
        return summary
    }

    @Test("a cluster's status")
    func clusterStatus() throws {
        try expectGolden(
            status,
            is: """
                0a03622d311205302e312e3018c8dc032207616c616464696e280531000000000000244039000000000080344042e3
                010803120277311a0474696e7922036370752a0363707530013a08647261696e696e67400148025003588080046064
                68097063799a9999999999b93f81019a9999999999b9bf88013290010c9a0194010a03637075100119000000000000
                f83f21000000000000d03f29000000000000c03f31f168e388b5f8e43e39000000000000804041000000000000e03f
                49000000000000104051fca9f1d24d62503f59000000000000b03f61000000000000204069b81e85eb51b89e3f7801
                800180800488011091017b14ae47e17a843f99010000000000000041a0018002a8018040b00180104a89010a047469
                6e7910011804200328093001380240034804506359000000000000ec3f621d09000000000000594011000000000000
                6940190000000000c0724020096a1d090000000000002440110000000000003440190000000000003e402008719a99
                99999999c93f799a9999999999a93f820112099a9999999999c93f119a9999999999a93f8801055002
                """
        )
    }

    private func errors(
        _ first: (Double, Double, UInt64),
        _ token: (Double, Double, UInt64)
    ) -> PredictionErrors {
        var errors = PredictionErrors()
        errors.timeToFirstToken = .init(magnitude: first.0, bias: first.1, count: first.2)
        errors.tokenTime = .init(magnitude: token.0, bias: token.1, count: token.2)
        return errors
    }

    @Test("a status with prediction errors, and experts in a worker's profile")
    func predictions() throws {
        var profile = LatencyProfile(model: "", device: "")
        profile.decode.expertMilliseconds = 2.5
        profile.decode.expertShare = 0.0625
        var worker = WorkerStatus(worker: WorkerID(rawValue: 3), name: "w1", engine: "", profile: profile)
        worker.predictions = errors((0.25, -0.25, 1), (0, 0, 0))
        var model = ModelStatus(model: "tiny")
        model.predictions = errors((0.5, 0.5, 2), (0, 0, 0))
        var status = ClusterStatus()
        status.predictions = errors((0.2, 0.05, 12), (0.1, -0.1, 11))
        status.workers = [worker]
        status.models = [model]
        try expectGolden(
            status,
            is: """
                425a08031202773130013a0773657276696e679a012f100188011091017b14ae47e17a843fa0018002a8018040b001
                8010b9010000000000000440c101000000000000b03fa2011409000000000000d03f11000000000000d0bf18014a33
                0a0474696e7962006a0071000000000000e03f79000000000000e03f82011409000000000000e03f11000000000000
                e03f18025a28099a9999999999c93f119a9999999999a93f180c219a9999999999b93f299a9999999999b9bf300b
                """
        )
    }

    @Test("metrics, and the wish for them")
    func metrics() throws {
        try expectGolden(GetStatusRequest(wantsMetrics: true), is: "0801")
        try expectGolden(GetStatusRequest(), is: "")
        var status = ClusterStatus()
        status.metrics = "a 1\n"
        try expectGolden(status, is: "7a046120310a")
    }

    @Test("a model's status from before prediction errors had a part of their own")
    func earlierModelStatus() throws {
        let model = Wire.text(1, "tiny") + Wire.real(14, 0.2) + Wire.real(15, 0.05)
        let status = try ClusterStatus.decode(Wire.bytes(9, model))
        #expect(status.models.first?.predictions == errors((0.2, 0.05, 0), (0, 0, 0)))
    }
}
