import Scheduling
import ServingModel

extension WorkerID {
    init(_ number: UInt64) { self.init(rawValue: number) }
}

extension QueryNumber {
    init(_ number: UInt64) { self.init(rawValue: number) }
}

extension LatencyProfile {
    static func sample(model: String = "m", speed: Double = 1) -> LatencyProfile {
        var profile = LatencyProfile(model: model, device: "test")
        profile.prefill.c1Milliseconds = 10 / speed
        profile.prefill.k1Milliseconds = 0.1 / speed
        profile.prefill.k1qMilliseconds = 1e-6 / speed
        profile.decode.c3Milliseconds = 8 / speed
        profile.decode.k2Milliseconds = 1e-4 / speed
        profile.decode.c2Milliseconds = 0.2 / speed
        profile.kvCache.capacityTokens = 10_000
        return profile
    }
}

extension ClusterEvent {
    static func joined(_ worker: UInt64, model: String = "m", profile: LatencyProfile? = nil) -> ClusterEvent {
        .workerJoined(
            WorkerJoined(
                worker: WorkerID(worker),
                name: "w\(worker)",
                engine: "emulated",
                contextLength: 4096,
                resumesPrefix: true,
                batching: .chunked,
                profile: profile ?? .sample(model: model)
            )
        )
    }

    static func queued(
        _ number: UInt64,
        model: String = "m",
        attempt: Int = 1,
        inputTokens: Int? = 100,
        promptBytes: Int = 400,
        maxTokens: Int = 64,
        outputTokens: Int = 0,
        objective: ServiceLevelObjective = .standard
    ) -> ClusterEvent {
        .queryQueued(
            QueuedQuery(
                number: QueryNumber(number),
                id: QueryID(high: 1, low: number),
                model: model,
                attempt: attempt,
                age: .milliseconds(5),
                inputTokens: inputTokens,
                promptBytes: promptBytes,
                maxTokens: maxTokens,
                outputTokensHint: nil,
                outputTokens: outputTokens,
                objective: objective,
                priority: 0,
                tenant: "",
                remaining: nil
            )
        )
    }

    static func step(_ worker: UInt64, _ queries: UInt64...) -> ClusterEvent {
        .stepCompleted(
            StepCompleted(
                worker: WorkerID(worker),
                workload: StepWorkload(kind: .decode, decodeSequences: queries.count, contextTokens: 100),
                duration: .milliseconds(8),
                advanced: queries.map { .init(query: QueryNumber($0), tokens: 1) },
                waiting: 0,
                freeKVTokens: 0
            )
        )
    }

    static func ended(_ number: UInt64, inputTokens: Int = 0) -> ClusterEvent {
        .queryEnded(QueryEnded(query: QueryNumber(number), code: .ok, inputTokens: inputTokens, outputTokens: 1))
    }
}
