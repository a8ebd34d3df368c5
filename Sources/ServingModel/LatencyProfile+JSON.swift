extension LatencyProfile: Codable {
    /// Reads the file form.
    ///
    /// Terms that are absent are 0 or their documented default; `model`, `device`, `gpus`, `prefill`, `decode` and
    /// `kv.capacity_tokens` must be there. Keys that mean nothing here are kept in `extras`. Ranges are not checked:
    /// call `validate()`.
    ///
    /// - Throws: a `ProfileError` that lists every field that is missing or of the wrong type.
    public init(from decoder: any Decoder) throws {
        try self.init(json: JSONValue(from: decoder))
    }

    /// Writes the file form, every term spelt out, with the extra keys it was read with.
    public func encode(to encoder: any Encoder) throws {
        try json.encode(to: encoder)
    }

    /// Reads the file form from a JSON value; see `init(from:)`.
    ///
    /// - Throws: a `ProfileError` that lists every field that is missing or of the wrong type.
    public init(json: JSONValue) throws(ProfileError) {
        var fields = ProfileFields(document: json)
        self.init(model: fields.text("model"), device: fields.text("device"), gpus: fields.whole("gpus"))
        fields.section("prefill", required: true) { prefill = Prefill(fields: &$0) }
        fields.section("decode", required: true) { decode = Decode(fields: &$0) }
        fields.section("mixed", required: false) { mixedConstantMilliseconds = $0.numberIfPresent("c_mix_ms") }
        fields.section("kv", required: false) { kvCache = KVCache(fields: &$0) }
        fields.section("limits", required: false) { limits = Limits(fields: &$0) }
        extras = fields.rest
        guard fields.problems.isEmpty else { throw ProfileError(problems: fields.problems) }
    }

    /// The file form, extra keys included.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "model": .string(model),
            "device": .string(device),
            "gpus": .integer(Int64(gpus)),
            "prefill": prefill.json,
            "decode": decode.json,
            "kv": kvCache.json,
            "limits": limits.json,
        ]
        if let mixedConstantMilliseconds {
            members["mixed"] = .object(["c_mix_ms": .number(mixedConstantMilliseconds)])
        }
        return JSONValue.object(extras).merging(.object(members))
    }
}

extension LatencyProfile.Prefill {
    fileprivate init(fields: inout ProfileFields) {
        c0Milliseconds = fields.number("c0_ms", default: 0)
        c1Milliseconds = fields.number("c1_ms", default: 0)
        k1Milliseconds = fields.number("k1_ms", default: 0)
        k1qMilliseconds = fields.number("k1q_ms", default: 0)
        kneeTokens = fields.number("knee_tokens", default: 0)
        k1AboveKneeMilliseconds = fields.number("k1_above_knee_ms", default: 0)
    }

    fileprivate var json: JSONValue {
        .object([
            "c0_ms": .number(c0Milliseconds),
            "c1_ms": .number(c1Milliseconds),
            "k1_ms": .number(k1Milliseconds),
            "k1q_ms": .number(k1qMilliseconds),
            "knee_tokens": .number(kneeTokens),
            "k1_above_knee_ms": .number(k1AboveKneeMilliseconds),
        ])
    }
}

extension LatencyProfile.Decode {
    fileprivate init(fields: inout ProfileFields) {
        c3Milliseconds = fields.number("c3_ms", default: 0)
        k2Milliseconds = fields.number("k2_ms", default: 0)
        c2Milliseconds = fields.number("c2_ms", default: 0)
        kneeSequences = fields.number("knee_sequences", default: 0)
        c2AboveKneeMilliseconds = fields.number("c2_above_knee_ms", default: 0)
        expertMilliseconds = fields.number("expert_ms", default: 0)
        expertShare = fields.number("expert_share", default: 0)
    }

    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "c3_ms": .number(c3Milliseconds),
            "k2_ms": .number(k2Milliseconds),
            "c2_ms": .number(c2Milliseconds),
            "knee_sequences": .number(kneeSequences),
            "c2_above_knee_ms": .number(c2AboveKneeMilliseconds),
        ]
        // Dense models, which most are, have no such terms to write.
        if expertMilliseconds != 0 || expertShare != 0 {
            members["expert_ms"] = .number(expertMilliseconds)
            members["expert_share"] = .number(expertShare)
        }
        return .object(members)
    }
}

extension LatencyProfile.KVCache {
    fileprivate init(fields: inout ProfileFields) {
        capacityTokens = fields.whole("capacity_tokens")
        blockTokens = fields.whole("block_tokens", default: blockTokens)
        watermark = fields.number("watermark", default: watermark)
        bytesPerToken = fields.numberIfPresent("bytes_per_token")
    }

    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "capacity_tokens": .integer(Int64(capacityTokens)),
            "block_tokens": .integer(Int64(blockTokens)),
            "watermark": .number(watermark),
        ]
        if let bytesPerToken { members["bytes_per_token"] = .number(bytesPerToken) }
        return .object(members)
    }
}

extension LatencyProfile.Limits {
    fileprivate init(fields: inout ProfileFields) {
        maximumSequences = fields.whole("max_sequences", default: maximumSequences)
        maximumBatchedTokens = fields.whole("max_batched_tokens", default: maximumBatchedTokens)
        chunkTokens = fields.whole("chunk_tokens", default: chunkTokens)
    }

    fileprivate var json: JSONValue {
        .object([
            "max_sequences": .integer(Int64(maximumSequences)),
            "max_batched_tokens": .integer(Int64(maximumBatchedTokens)),
            "chunk_tokens": .integer(Int64(chunkTokens)),
        ])
    }
}
