import Brokering
import ServingModel

/// Admission control of a small fleet: decodes of 20 ms and 1 ms for each sequence, prompts at 0.1 ms a token.
struct AdmissionRig {
    var control: AdmissionControl
    var now = Instant.zero + .seconds(100)
    let workers: Int
    private var next: UInt64 = 0
    private(set) var underWay: [QueryNumber] = []

    static let objective = ServiceLevelObjective(
        timeToFirstToken: .milliseconds(1000),
        averageTokenTime: .milliseconds(50)
    )

    init(workers: Int = 4, cacheTokens: Int = 1_000_000, settings: AdmissionSettings = AdmissionSettings()) {
        control = AdmissionControl(settings: settings)
        self.workers = workers
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.k1Milliseconds = 0.1
        profile.decode.c3Milliseconds = 20
        profile.decode.c2Milliseconds = 1
        profile.kvCache.capacityTokens = cacheTokens
        for worker in 0..<workers {
            control.workerJoined(
                WorkerJoined(
                    worker: WorkerID(rawValue: UInt64(worker)),
                    name: "w\(worker)",
                    engine: "",
                    contextLength: cacheTokens,
                    resumesPrefix: true,
                    batching: .prefillPriority,
                    profile: profile
                )
            )
        }
    }

    static func candidate(
        tokens: Int = 100,
        priority: Int = 0,
        tenant: String = "",
        objective: ServiceLevelObjective = objective
    ) -> AdmissionCandidate {
        AdmissionCandidate(inputTokens: tokens, objective: objective, priority: priority, tenant: tenant)
    }

    /// The verdict about a newcomer, who is queued if it is let in.
    @discardableResult
    mutating func offer(_ candidate: AdmissionCandidate = candidate()) -> AdmissionRefusal? {
        switch control.verdict(for: candidate, at: now) {
        case .admit:
            control.queryQueued(QueryNumber(rawValue: next), candidate, at: now)
            underWay.append(QueryNumber(rawValue: next))
            next += 1
            control.checkInvariants()
            return nil
        case .refuse(let refusal):
            control.checkInvariants()
            return refusal
        }
    }

    mutating func isAdmitted(_ candidate: AdmissionCandidate = candidate()) -> Bool {
        offer(candidate) == nil
    }

    mutating func fails(
        _ candidate: AdmissionCandidate = candidate(),
        by objective: AdmissionRefusal.Objective
    ) -> Bool {
        offer(candidate)?.fails == objective
    }

    /// Queries that run, let in whatever the verdict would be.
    mutating func run(_ count: Int, priority: Int = 0, tokens: Int = 100) {
        for _ in 0..<count {
            control.queryQueued(
                QueryNumber(rawValue: next),
                Self.candidate(tokens: tokens, priority: priority),
                at: now
            )
            control.firstToken(QueryNumber(rawValue: next), at: now)
            underWay.append(QueryNumber(rawValue: next))
            next += 1
        }
        control.checkInvariants()
    }

    /// All that wait get their first token.
    mutating func startAll() {
        for number in underWay { control.firstToken(number, at: now) }
    }

    mutating func end(_ count: Int, outputTokens: Int? = 200) {
        for _ in 0..<count { control.queryEnded(underWay.removeFirst(), outputTokens: outputTokens, at: now) }
        control.checkInvariants()
    }

    /// Every worker decodes for a while, each step taking `factor` times what the profile says.
    mutating func decode(seconds: Int, sequences: Int, context: Int = 100, factor: Double = 1) {
        let duration = Interval.seconds(rounding: (0.020 + 0.001 * Double(sequences)) * factor)
        let end = now + .seconds(Int64(seconds))
        while now < end {
            now = now + duration
            for worker in 0..<workers {
                control.workerStepped(
                    WorkerID(rawValue: UInt64(worker)),
                    StepWorkload(kind: .decode, decodeSequences: sequences, contextTokens: sequences * context),
                    took: duration,
                    at: now
                )
            }
        }
    }
}
