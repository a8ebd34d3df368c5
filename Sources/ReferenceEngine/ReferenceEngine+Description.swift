internal import EngineInterface
internal import FoundationEssentials
internal import ServingModel

extension ReferenceEngine {
    static func description(
        of transformer: Transformer,
        name: String,
        configuration: ReferenceEngineConfiguration
    ) -> EngineDescription {
        let model = transformer.configuration
        let context = min(model.contextLength, configuration.contextLength ?? .max, transformer.cacheTokens)
        var profile = LatencyProfile(model: name, device: processorName)
        if configuration.measuresSpeed {
            let speed = SpeedMeasurement(transformer: transformer, contextLength: context).run()
            (profile.prefill, profile.decode) = (speed.prefill, speed.decode)
        }
        profile.kvCache.capacityTokens = transformer.cacheTokens
        profile.kvCache.blockTokens = KVCache.blockTokens
        profile.kvCache.bytesPerToken = Double(
            KVCache.bytesPerToken(layers: model.layers, heads: model.keyValueHeads, headDimension: model.headDimension)
        )
        profile.limits.maximumSequences = configuration.maximumSequences
        profile.limits.maximumBatchedTokens = configuration.maximumBatchedTokens
        profile.limits.chunkTokens = configuration.chunkTokens
        return EngineDescription(
            model: name,
            kind: "cpu",
            contextLength: context,
            resumesPrefix: true,
            keepsPrefixes: configuration.keepsPrefixes,
            profile: profile
        )
    }

    /// The processor as `/proc/cpuinfo` names it, or `CPU` where it does not.
    private static var processorName: String {
        // The file has no length, so it cannot be mapped like a model's files.
        guard let data = try? Data(contentsOf: URL(filePath: "/proc/cpuinfo")) else { return "CPU" }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[line.index(after: colon)...].drop { $0 == " " }
            if !name.isEmpty { return String(name) }
        }
        return "CPU"
    }
}
