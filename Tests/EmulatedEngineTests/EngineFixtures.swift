import EmulatedEngine
import EngineInterface
import ServingModel

/// Virtual time: a wait is over at once, and noted.
final class RecordingTimer: StepTimer {
    private var time = Instant(nanoseconds: 5)
    private(set) var waits: [Interval] = []

    func now() -> Instant { time }

    func wait(until deadline: Instant) {
        waits.append(deadline - time)
        time = deadline
    }
}

extension LatencyProfile {
    /// Round figures: prefill 10 + S ms, decode 20 + 0.5·b + 0.1·C ms, 1024 tokens.
    static var small: LatencyProfile {
        var profile = LatencyProfile(model: "small", device: "none")
        profile.prefill.c1Milliseconds = 10
        profile.prefill.k1Milliseconds = 1
        profile.decode.c3Milliseconds = 20
        profile.decode.c2Milliseconds = 0.5
        profile.decode.k2Milliseconds = 0.1
        profile.kvCache.capacityTokens = 1024
        return profile
    }
}

extension SequenceID {
    static let one = SequenceID(rawValue: 1)
}

extension SequenceRequest {
    static func text(
        _ text: String,
        id: Int,
        maxTokens: Int = 5,
        hint: Int? = nil,
        seed: UInt64 = 7
    ) -> SequenceRequest {
        SequenceRequest(
            id: SequenceID(rawValue: id),
            input: .text(text),
            sampling: Sampling(),
            defaultSeed: seed,
            maxTokens: maxTokens,
            outputTokensHint: hint
        )
    }
}

extension EngineStep {
    /// A whole prompt at once.
    static func prefill(_ sequence: Int, tokens: Int) -> EngineStep {
        EngineStep(
            preempted: [],
            decodes: [],
            chunks: [.init(sequence: SequenceID(rawValue: sequence), start: 0, end: tokens, completesPrompt: true)],
            workload: StepWorkload(kind: .prefill, prefillTokens: tokens, prefillSquares: tokens * tokens)
        )
    }

    static func decode(_ sequences: [Int], contextTokens: Int) -> EngineStep {
        EngineStep(
            preempted: [],
            decodes: sequences.map(SequenceID.init(rawValue:)),
            chunks: [],
            workload: StepWorkload(kind: .decode, decodeSequences: sequences.count, contextTokens: contextTokens)
        )
    }
}
