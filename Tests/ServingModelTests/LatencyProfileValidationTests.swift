import ServingModel
import Testing

@Suite("Validating a latency profile")
struct LatencyProfileValidationTests {
    /// A change that breaks a valid profile, and the field it breaks.
    struct Fault: Sendable, CustomTestStringConvertible {
        var field: String
        var change: @Sendable (inout LatencyProfile) -> Void

        init(_ field: String, _ change: @escaping @Sendable (inout LatencyProfile) -> Void) {
            self.field = field
            self.change = change
        }

        var testDescription: String { field }
    }

    static let faults = [
        Fault("model") { $0.model = "" },
        Fault("device") { $0.device = "" },
        Fault("gpus") { $0.gpus = 0 },
        Fault("prefill.c0_ms") { $0.prefill.c0Milliseconds = -1 },
        Fault("prefill.c1_ms") { $0.prefill.c1Milliseconds = .nan },
        Fault("prefill.k1_ms") { $0.prefill.k1Milliseconds = -0.1 },
        Fault("prefill.k1_ms") { $0.prefill.k1Milliseconds = .nan },
        Fault("prefill.k1q_ms") { $0.prefill.k1qMilliseconds = .infinity },
        Fault("prefill.knee_tokens") { $0.prefill.kneeTokens = -1 },
        Fault("prefill.k1_above_knee_ms") { $0.prefill.k1AboveKneeMilliseconds = -0.21 },
        Fault("prefill.k1_above_knee_ms") { $0.prefill.k1AboveKneeMilliseconds = .nan },
        Fault("decode.c3_ms") { $0.decode.c3Milliseconds = -1 },
        Fault("decode.k2_ms") { $0.decode.k2Milliseconds = 1e10 },
        Fault("decode.c2_ms") { $0.decode.c2Milliseconds = -.infinity },
        Fault("decode.knee_sequences") { $0.decode.kneeSequences = .nan },
        Fault("decode.c2_above_knee_ms") { $0.decode.c2AboveKneeMilliseconds = -0.5 },
        Fault("decode.expert_ms") { $0.decode.expertMilliseconds = -1 },
        Fault("decode.expert_share") { $0.decode.expertShare = 1.01 },
        Fault("decode.expert_share") { $0.decode.expertShare = .nan },
        Fault("mixed.c_mix_ms") { $0.mixedConstantMilliseconds = -1 },
        Fault("kv.capacity_tokens") { $0.kvCache.capacityTokens = 0 },
        Fault("kv.capacity_tokens") { $0.kvCache.capacityTokens = 15 },
        Fault("kv.capacity_tokens") { $0.kvCache.capacityTokens = .max },
        Fault("kv.block_tokens") { $0.kvCache.blockTokens = 0 },
        Fault("kv.watermark") { $0.kvCache.watermark = 1 },
        Fault("kv.watermark") { $0.kvCache.watermark = -0.01 },
        Fault("kv.watermark") { $0.kvCache.watermark = .nan },
        Fault("kv.bytes_per_token") { $0.kvCache.bytesPerToken = 0 },
        Fault("limits.max_sequences") { $0.limits.maximumSequences = 0 },
        Fault("limits.max_batched_tokens") { $0.limits.maximumBatchedTokens = 0 },
        Fault("limits.chunk_tokens") { $0.limits.chunkTokens = -1 },
    ]

    static var valid: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.k1Milliseconds = 0.2
        profile.decode.c2Milliseconds = 0.4
        profile.kvCache.capacityTokens = 1000
        return profile
    }

    @Test("A valid profile has no problems")
    func valid() throws {
        try Self.valid.validate()
    }

    @Test("Each fault is reported by its field, and by nothing else", arguments: faults)
    func reportsTheField(fault: Fault) {
        var profile = Self.valid
        fault.change(&profile)
        #expect(profile.problems().map(\.field) == [fault.field])
        #expect(throws: ProfileError.self) { try profile.validate() }
    }

    @Test("A slope above the knee may be negative while the slope in all is not")
    func negativeSlopeAboveKnee() throws {
        var profile = Self.valid
        profile.prefill.kneeTokens = 1000
        profile.prefill.k1AboveKneeMilliseconds = -0.2
        profile.decode.kneeSequences = 32
        profile.decode.c2AboveKneeMilliseconds = -0.3
        try profile.validate()
    }

    @Test("All problems are told at once, with field, value and what would be right")
    func tellsAll() {
        var profile = Self.valid
        profile.kvCache.capacityTokens = 0
        profile.kvCache.watermark = 2
        profile.gpus = -1
        let error = ProfileError(problems: profile.problems())
        #expect(error.problems.map(\.field) == ["gpus", "kv.capacity_tokens", "kv.watermark"])
        #expect(error.problems.map(\.value) == ["-1", "0", "2.0"])
        #expect(error.description.contains("kv.watermark is 2.0; it must be a share of the blocks"))
    }
}
