extension LatencyProfile {
    /// Checks that every value can be used, so that evaluation and batching need no checks of their own.
    ///
    /// A slope above a knee may be negative as long as the slope in all stays at least 0: time never falls as work
    /// grows.
    ///
    /// - Throws: a `ProfileError` that lists every field that is wrong.
    public func validate() throws(ProfileError) {
        let problems = problems()
        guard problems.isEmpty else { throw ProfileError(problems: problems) }
    }

    /// Every field that can't be used, in the order of the file form; empty for a valid profile.
    public func problems() -> [ProfileError.Problem] {
        var check = ProfileCheck()
        check.notEmpty("model", model)
        check.notEmpty("device", device)
        check.whole("gpus", gpus, atLeast: 1)
        check(prefill)
        check(decode)
        if let mixedConstantMilliseconds { check.coefficient("mixed.c_mix_ms", mixedConstantMilliseconds) }
        check(kvCache)
        check(limits)
        return check.problems
    }
}

/// The rules for a profile's values, gathering what breaks them.
private struct ProfileCheck {
    var problems: [ProfileError.Problem] = []

    /// Largest coefficient, in milliseconds, and largest count: they keep the arithmetic of steps inside 64 bits.
    static let largestCoefficient = 1e9
    static let largestCount = Int(Int32.max)

    mutating func callAsFunction(_ prefill: LatencyProfile.Prefill) {
        coefficient("prefill.c0_ms", prefill.c0Milliseconds)
        coefficient("prefill.c1_ms", prefill.c1Milliseconds)
        coefficient("prefill.k1_ms", prefill.k1Milliseconds)
        coefficient("prefill.k1q_ms", prefill.k1qMilliseconds)
        knee("prefill.knee_tokens", prefill.kneeTokens)
        slopeAboveKnee("prefill.k1_above_knee_ms", prefill.k1AboveKneeMilliseconds, below: prefill.k1Milliseconds)
    }

    mutating func callAsFunction(_ decode: LatencyProfile.Decode) {
        coefficient("decode.c3_ms", decode.c3Milliseconds)
        coefficient("decode.k2_ms", decode.k2Milliseconds)
        coefficient("decode.c2_ms", decode.c2Milliseconds)
        knee("decode.knee_sequences", decode.kneeSequences)
        slopeAboveKnee("decode.c2_above_knee_ms", decode.c2AboveKneeMilliseconds, below: decode.c2Milliseconds)
        coefficient("decode.expert_ms", decode.expertMilliseconds)
        require("decode.expert_share", decode.expertShare, "a share of the experts, at least 0 and at most 1") {
            $0 >= 0 && $0 <= 1
        }
    }

    mutating func callAsFunction(_ kvCache: LatencyProfile.KVCache) {
        whole("kv.block_tokens", kvCache.blockTokens, atLeast: 1)
        whole("kv.capacity_tokens", kvCache.capacityTokens, atLeast: max(1, kvCache.blockTokens))
        require("kv.watermark", kvCache.watermark, "a share of the blocks, at least 0 and below 1") {
            $0 >= 0 && $0 < 1
        }
        if let bytesPerToken = kvCache.bytesPerToken {
            require("kv.bytes_per_token", bytesPerToken, "a number of bytes above 0") { $0 > 0 && $0.isFinite }
        }
    }

    mutating func callAsFunction(_ limits: LatencyProfile.Limits) {
        whole("limits.max_sequences", limits.maximumSequences, atLeast: 1)
        whole("limits.max_batched_tokens", limits.maximumBatchedTokens, atLeast: 1)
        whole("limits.chunk_tokens", limits.chunkTokens, atLeast: 1)
    }

    mutating func notEmpty(_ field: String, _ value: String) {
        guard value.isEmpty else { return }
        problems.append(.init(field: field, value: "empty", expected: "a name"))
    }

    mutating func whole(_ field: String, _ value: Int, atLeast minimum: Int) {
        guard value < minimum || value > Self.largestCount else { return }
        let expected = "a whole number, at least \(minimum) and at most \(Self.largestCount)"
        problems.append(.init(field: field, value: "\(value)", expected: expected))
    }

    mutating func coefficient(_ field: String, _ value: Double) {
        require(field, value, "a number of milliseconds, at least 0 and at most 1e9") {
            $0 >= 0 && $0 <= Self.largestCoefficient
        }
    }

    mutating func knee(_ field: String, _ value: Double) {
        require(field, value, "a number, at least 0 (0 for no knee)") {
            $0 >= 0 && $0 <= Double(Self.largestCount)
        }
    }

    mutating func slopeAboveKnee(_ field: String, _ value: Double, below slope: Double) {
        require(field, value, "a number of milliseconds at most 1e9 that, added to \(slope), gives at least 0") {
            // A slope that is itself wrong is reported under its own name.
            $0 <= Self.largestCoefficient && (!(slope >= 0) || slope + $0 >= 0)
        }
    }

    private mutating func require(
        _ field: String,
        _ value: Double,
        _ expected: String,
        _ isRight: (Double) -> Bool
    ) {
        guard !isRight(value) else { return }
        problems.append(.init(field: field, value: "\(value)", expected: expected))
    }
}
