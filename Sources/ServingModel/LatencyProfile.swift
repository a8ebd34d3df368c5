/// What is known of one kind of worker (a model on a device over some GPUs): its speed, memory and limits.
///
/// Coefficients are milliseconds, as in a profile file; `seconds(of:)` evaluates them in seconds. The letters are the
/// paper's, extended: prefill `max(c0, k1·S + k1q·Q + c1)`, decode `k2·C + c2·b + c3`.
public struct LatencyProfile: Hashable, Sendable {
    public struct Prefill: Hashable, Sendable {
        /// Floor of a prefill step (and of a mixed one).
        public var c0Milliseconds = 0.0
        /// Constant.
        public var c1Milliseconds = 0.0
        /// Per prompt token.
        public var k1Milliseconds = 0.0
        /// Per squared prompt token: attention.
        public var k1qMilliseconds = 0.0
        /// Tokens in the step beyond which `k1AboveKneeMilliseconds` is added; 0 for none.
        public var kneeTokens = 0.0
        public var k1AboveKneeMilliseconds = 0.0

        public init() {}
    }

    public struct Decode: Hashable, Sendable {
        /// Constant: reading the weights.
        public var c3Milliseconds = 0.0
        /// Per token of context: reading the KV cache.
        public var k2Milliseconds = 0.0
        /// Per sequence.
        public var c2Milliseconds = 0.0
        /// Sequences beyond which `c2AboveKneeMilliseconds` is added; 0 for none.
        public var kneeSequences = 0.0
        public var c2AboveKneeMilliseconds = 0.0
        /// Mixture of experts: reading all of them, as `expertMilliseconds · (1 − (1 − expertShare)^tokens)`; 0 for none.
        public var expertMilliseconds = 0.0
        /// Share of the experts that one token is routed to: k of E.
        public var expertShare = 0.0

        public init() {}
    }

    public struct KVCache: Hashable, Sendable {
        public var capacityTokens = 0
        public var blockTokens = 16
        /// Share of the blocks kept free at admission.
        public var watermark = 0.01
        /// Bytes moved per token when a prefill is handed to another worker; nil if unknown.
        public var bytesPerToken: Double?

        public init() {}
    }

    public struct Limits: Hashable, Sendable {
        /// Sequences resident at once.
        public var maximumSequences = 256
        /// Prompt tokens in one prefill step (prefill-priority).
        public var maximumBatchedTokens = 8192
        /// Tokens in one mixed step (chunked prefill).
        public var chunkTokens = 2048

        public init() {}
    }

    public var model: String
    public var device: String
    public var gpus: Int
    public var prefill: Prefill
    public var decode: Decode
    /// Constant of a mixed step; nil takes the decode constant.
    public var mixedConstantMilliseconds: Double?
    public var kvCache: KVCache
    public var limits: Limits
    /// What a profile file says beyond the terms above, by key and nested as in the file; written back unchanged.
    public var extras: [String: JSONValue] = [:]

    public init(
        model: String,
        device: String,
        gpus: Int = 1,
        prefill: Prefill = Prefill(),
        decode: Decode = Decode(),
        mixedConstantMilliseconds: Double? = nil,
        kvCache: KVCache = KVCache(),
        limits: Limits = Limits()
    ) {
        self.model = model
        self.device = device
        self.gpus = gpus
        self.prefill = prefill
        self.decode = decode
        self.mixedConstantMilliseconds = mixedConstantMilliseconds
        self.kvCache = kvCache
        self.limits = limits
    }
}
