internal import CEngine
internal import EngineInterface
internal import ServingModel

extension PluginEngine {
    /// What a plug-in says of itself, with the defaults of `CEngine.h`.
    ///
    /// - Throws: a `PluginError` that names every field that is wrong.
    static func description(_ wire: aladdin_description, path: String) throws(PluginError) -> EngineDescription {
        guard let model = wire.model else {
            throw PluginError(path: path, problem: "does not name its model")
        }
        func count<Number: FixedWidthInteger>(_ value: Number, default fallback: Int = 0) -> Int {
            value == 0 ? fallback : Int(clamping: value)
        }
        let device = wire.device.map { String(cString: $0) } ?? "plug-in"
        var profile = LatencyProfile(
            model: String(cString: model),
            device: device,
            gpus: count(wire.gpus, default: 1)
        )
        profile.kvCache.capacityTokens = count(wire.kv_capacity_tokens)
        profile.kvCache.blockTokens = count(wire.kv_block_tokens, default: 16)
        profile.limits.maximumSequences = count(wire.max_sequences, default: 64)
        profile.limits.chunkTokens = count(wire.chunk_tokens, default: 512)
        profile.limits.maximumBatchedTokens = count(wire.max_batched_tokens, default: profile.limits.chunkTokens)
        profile.prefill.c1Milliseconds = wire.prefill_constant_ms
        profile.prefill.k1Milliseconds = wire.prefill_token_ms
        profile.decode.c3Milliseconds = wire.decode_constant_ms
        profile.decode.c2Milliseconds = wire.decode_sequence_ms
        profile.decode.k2Milliseconds = wire.decode_context_token_ms
        let description = EngineDescription(
            model: profile.model,
            kind: "plugin",
            contextLength: count(wire.context_length),
            resumesPrefix: wire.flags & UInt32(ALADDIN_RESUMES) != 0,
            profile: profile
        )
        do throws(Status) {
            try description.validate()
        } catch {
            throw PluginError(path: path, problem: "describes itself wrongly: \(error.message)")
        }
        return description
    }
}
