internal import CAladdinMessages
internal import ServingModel

extension LatencyProfile: WireMapped {
    /// The profile without its model, which the message around it names; only its form is checked, see `validate()`.
    static func read(_ wire: UnsafePointer<Aladdin__V1__Profile>) throws(DecodingFailure) -> LatencyProfile {
        var profile = LatencyProfile(
            model: "",
            device: try Reading.string(wire.pointee.device, "device"),
            gpus: Int(wire.pointee.gpus),
            prefill: try prefill(of: wire),
            decode: try decode(of: wire),
            kvCache: try kvCache(of: wire)
        )
        if wire.pointee.has_mixed_constant != 0 {
            profile.mixedConstantMilliseconds = try coefficient(wire.pointee.mixed_constant_ms, "mixed_constant_ms")
        }
        profile.limits.maximumSequences = Int(wire.pointee.maximum_sequences)
        profile.limits.maximumBatchedTokens = Int(wire.pointee.maximum_batched_tokens)
        profile.limits.chunkTokens = Int(wire.pointee.chunk_tokens)
        return profile
    }

    private static func coefficient(_ value: Double, _ field: String) throws(DecodingFailure) -> Double {
        try Reading.finite(value, field, in: -WireBounds.largestCoefficient...WireBounds.largestCoefficient)
    }

    private static func prefill(of wire: UnsafePointer<Aladdin__V1__Profile>) throws(DecodingFailure) -> Prefill {
        var prefill = Prefill()
        prefill.c0Milliseconds = try coefficient(wire.pointee.prefill_c0_ms, "prefill_c0_ms")
        prefill.c1Milliseconds = try coefficient(wire.pointee.prefill_c1_ms, "prefill_c1_ms")
        prefill.k1Milliseconds = try coefficient(wire.pointee.prefill_k1_ms, "prefill_k1_ms")
        prefill.k1qMilliseconds = try coefficient(wire.pointee.prefill_k1q_ms, "prefill_k1q_ms")
        prefill.kneeTokens = try coefficient(wire.pointee.prefill_knee_tokens, "prefill_knee_tokens")
        prefill.k1AboveKneeMilliseconds = try coefficient(
            wire.pointee.prefill_k1_above_knee_ms,
            "prefill_k1_above_knee_ms"
        )
        return prefill
    }

    private static func decode(of wire: UnsafePointer<Aladdin__V1__Profile>) throws(DecodingFailure) -> Decode {
        var decode = Decode()
        decode.c3Milliseconds = try coefficient(wire.pointee.decode_c3_ms, "decode_c3_ms")
        decode.k2Milliseconds = try coefficient(wire.pointee.decode_k2_ms, "decode_k2_ms")
        decode.c2Milliseconds = try coefficient(wire.pointee.decode_c2_ms, "decode_c2_ms")
        decode.kneeSequences = try coefficient(wire.pointee.decode_knee_sequences, "decode_knee_sequences")
        decode.c2AboveKneeMilliseconds = try coefficient(
            wire.pointee.decode_c2_above_knee_ms,
            "decode_c2_above_knee_ms"
        )
        decode.expertMilliseconds = try coefficient(wire.pointee.decode_expert_ms, "decode_expert_ms")
        decode.expertShare = try coefficient(wire.pointee.decode_expert_share, "decode_expert_share")
        return decode
    }

    private static func kvCache(of wire: UnsafePointer<Aladdin__V1__Profile>) throws(DecodingFailure) -> KVCache {
        var cache = KVCache()
        cache.capacityTokens = try Reading.count(wire.pointee.kv_capacity_tokens, "kv_capacity_tokens")
        // Memory is counted in blocks: a block of nothing would be divided by.
        guard wire.pointee.kv_block_tokens > 0 else {
            throw DecodingFailure(field: "kv_block_tokens", problem: .outOfRange)
        }
        cache.blockTokens = Int(wire.pointee.kv_block_tokens)
        cache.watermark = try coefficient(wire.pointee.kv_watermark, "kv_watermark")
        let bytesPerToken = try coefficient(wire.pointee.kv_bytes_per_token, "kv_bytes_per_token")
        cache.bytesPerToken = bytesPerToken == 0 ? nil : bytesPerToken
        return cache
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Profile> {
        let wire = arena.make(aladdin__v1__profile__init)
        wire.pointee.device = arena.string(device)
        wire.pointee.gpus = Writing.count32(gpus)
        wire.pointee.prefill_c0_ms = prefill.c0Milliseconds
        wire.pointee.prefill_c1_ms = prefill.c1Milliseconds
        wire.pointee.prefill_k1_ms = prefill.k1Milliseconds
        wire.pointee.prefill_k1q_ms = prefill.k1qMilliseconds
        wire.pointee.prefill_knee_tokens = prefill.kneeTokens
        wire.pointee.prefill_k1_above_knee_ms = prefill.k1AboveKneeMilliseconds
        wire.pointee.decode_c3_ms = decode.c3Milliseconds
        wire.pointee.decode_k2_ms = decode.k2Milliseconds
        wire.pointee.decode_c2_ms = decode.c2Milliseconds
        wire.pointee.decode_knee_sequences = decode.kneeSequences
        wire.pointee.decode_c2_above_knee_ms = decode.c2AboveKneeMilliseconds
        wire.pointee.decode_expert_ms = decode.expertMilliseconds
        wire.pointee.decode_expert_share = decode.expertShare
        if let mixedConstantMilliseconds {
            wire.pointee.mixed_constant_ms = mixedConstantMilliseconds
            wire.pointee.has_mixed_constant = 1
        }
        wire.pointee.kv_capacity_tokens = Writing.count64(kvCache.capacityTokens)
        wire.pointee.kv_block_tokens = Writing.count32(kvCache.blockTokens)
        wire.pointee.kv_watermark = kvCache.watermark
        wire.pointee.kv_bytes_per_token = kvCache.bytesPerToken ?? 0
        wire.pointee.maximum_sequences = Writing.count32(limits.maximumSequences)
        wire.pointee.maximum_batched_tokens = Writing.count32(limits.maximumBatchedTokens)
        wire.pointee.chunk_tokens = Writing.count32(limits.chunkTokens)
        return wire
    }
}

extension BatchingMode {
    static func read(_ name: String, _ field: String) throws(DecodingFailure) -> BatchingMode {
        guard let mode = BatchingMode(rawValue: name) else {
            throw DecodingFailure(field: field, problem: .unknownValue)
        }
        return mode
    }
}

extension WorkerRole {
    /// Empty is a worker that does not say: for both.
    static func read(_ name: String, _ field: String) throws(DecodingFailure) -> WorkerRole {
        guard let role = name.isEmpty ? .both : WorkerRole(rawValue: name) else {
            throw DecodingFailure(field: field, problem: .unknownValue)
        }
        return role
    }
}
