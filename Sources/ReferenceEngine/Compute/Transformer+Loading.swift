extension Transformer {
    /// Bytes of keys and values that are set aside if nothing is configured.
    private static let defaultCacheBytes = 1 << 30
    /// Full contexts beyond which more cache is of no use to one engine.
    private static let defaultContexts = 64

    /// Sets up the cache and threads for a model.
    convenience init(
        configuration: ModelConfiguration,
        weights: ModelWeights,
        engineConfiguration: ReferenceEngineConfiguration
    ) throws(ModelLoadingError) {
        let bytesPerToken = KVCache.bytesPerToken(
            layers: configuration.layers,
            heads: configuration.keyValueHeads,
            headDimension: configuration.headDimension
        )
        let context = min(configuration.contextLength, engineConfiguration.contextLength ?? .max)
        let standard = min(Self.defaultCacheBytes / bytesPerToken, Self.defaultContexts * context)
        let capacity = max(1, engineConfiguration.kvCapacityTokens ?? standard)
        let cache = KVCache(
            layers: configuration.layers,
            heads: configuration.keyValueHeads,
            headDimension: configuration.headDimension,
            capacityTokens: capacity
        )
        guard let cache else {
            throw ModelLoadingError(
                file: "the KV cache",
                problem: "cannot reserve memory for \(capacity) tokens of \(bytesPerToken) bytes",
                expected: "a smaller kvCapacityTokens"
            )
        }
        let threads = max(1, engineConfiguration.threads ?? ThreadPool.processorCount)
        self.init(
            configuration: configuration,
            weights: weights,
            cache: cache,
            pool: ThreadPool(threadCount: threads)
        )
    }

    /// Tokens that the cache holds.
    var cacheTokens: Int { cache.blockCount * KVCache.blockTokens }
}
