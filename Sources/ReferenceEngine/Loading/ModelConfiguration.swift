/// A decoder's shape and constants: what `config.json` says, checked.
///
/// Architectures: `LlamaForCausalLM`, `MistralForCausalLM` and `Qwen2ForCausalLM`. A sliding window is honoured by
/// limiting the context to it, where windowed and full attention are the same.
struct ModelConfiguration: Equatable {
    var vocabularySize: Int
    var hiddenSize: Int
    var intermediateSize: Int
    var layers: Int
    var heads: Int
    var keyValueHeads: Int
    var headDimension: Int
    /// Longest sequence the model was made for, in tokens.
    var contextLength: Int
    var normEpsilon: Float
    var ropeTheta: Double
    var ropeScaling: RotaryScaling
    /// The output matrix is the embedding matrix.
    var tiesEmbeddings: Bool
    /// Biases on the query, key and value projections.
    var hasAttentionInputBias: Bool
    /// A bias on the attention's output projection.
    var hasAttentionOutputBias: Bool
    /// Biases on the feed-forward projections.
    var hasFeedForwardBias: Bool
    var beginToken: Int32?
    /// Tokens that end an answer: those of `config.json` and `generation_config.json`.
    var endTokens: [Int32]

    var queryDimension: Int { heads * headDimension }
    var keyValueDimension: Int { keyValueHeads * headDimension }
    /// Query heads that share one key and value head.
    var headsPerGroup: Int { heads / keyValueHeads }
}

extension ModelConfiguration {
    /// Reads `config.json` and, where there is one, `generation_config.json`.
    init(source: ModelSource) throws(ModelLoadingError) {
        let file = try source.requiredFile("config.json")
        let raw = try file.decodeJSON(ConfigurationFile.self)
        try self.init(raw, file: file.path)
        if let generation = try source.file("generation_config.json") {
            let tokens = try generation.decodeJSON(GenerationFile.self).eos_token_id?.values ?? []
            endTokens += tokens.compactMap(Int32.init(exactly:)).filter { !endTokens.contains($0) }
        }
    }

    init(_ raw: ConfigurationFile, file: String) throws(ModelLoadingError) {
        let architecture = raw.architectures?.first ?? raw.model_type ?? ""
        let isQwen2 = architecture == "Qwen2ForCausalLM" || architecture == "qwen2"
        let known = ["LlamaForCausalLM", "llama", "MistralForCausalLM", "mistral"]
        guard isQwen2 || known.contains(architecture) else {
            throw ModelLoadingError(
                file: file,
                problem: "architecture \"\(architecture)\" is not supported",
                expected: "LlamaForCausalLM, MistralForCausalLM or Qwen2ForCausalLM"
            )
        }
        if let activation = raw.hidden_act, activation != "silu" {
            throw ModelLoadingError(file: file, problem: "hidden_act is \"\(activation)\"", expected: "silu")
        }
        let fields = PositiveFields(file: file)
        vocabularySize = try fields.check("vocab_size", raw.vocab_size, atMost: 1 << 24)
        hiddenSize = try fields.check("hidden_size", raw.hidden_size)
        intermediateSize = try fields.check("intermediate_size", raw.intermediate_size)
        layers = try fields.check("num_hidden_layers", raw.num_hidden_layers, atMost: 4096)
        heads = try fields.check("num_attention_heads", raw.num_attention_heads)
        keyValueHeads = try fields.check("num_key_value_heads", raw.num_key_value_heads ?? heads)
        headDimension = try fields.check("head_dim", raw.head_dim ?? hiddenSize / heads)
        contextLength = try fields.check("max_position_embeddings", raw.max_position_embeddings, atMost: 1 << 30)
        guard heads % keyValueHeads == 0 else {
            throw ModelLoadingError(
                file: file,
                problem: "num_attention_heads is \(heads) and num_key_value_heads \(keyValueHeads)",
                expected: "the first to be a multiple of the second"
            )
        }
        guard headDimension % 2 == 0 else {
            throw ModelLoadingError(file: file, problem: "head_dim is \(headDimension)", expected: "an even number")
        }
        let usesWindow = isQwen2 ? raw.use_sliding_window ?? false : true
        if usesWindow, let window = raw.sliding_window, window > 0 { contextLength = min(contextLength, window) }
        normEpsilon = Float(raw.rms_norm_eps ?? 1e-6)
        let rotary = raw.rope_parameters ?? raw.rope_scaling
        ropeTheta = rotary?.rope_theta ?? raw.rope_theta ?? 10_000
        ropeScaling = try rotary?.scaling(file: file) ?? .none
        tiesEmbeddings = raw.tie_word_embeddings ?? false
        hasAttentionInputBias = isQwen2 || raw.attention_bias ?? false
        hasAttentionOutputBias = !isQwen2 && raw.attention_bias ?? false
        hasFeedForwardBias = raw.mlp_bias ?? false
        beginToken = raw.bos_token_id?.values.first.flatMap(Int32.init(exactly:))
        endTokens = (raw.eos_token_id?.values ?? []).compactMap(Int32.init(exactly:))
    }
}

/// Checks that sizes are positive and sane.
private struct PositiveFields {
    var file: String

    func check(_ name: String, _ value: Int?, atMost limit: Int = 1 << 20) throws(ModelLoadingError) -> Int {
        guard let value, value > 0, value <= limit else {
            let found = value.map { "is \($0)" } ?? "is missing"
            throw ModelLoadingError(file: file, problem: "\(name) \(found)", expected: "an integer in 1...\(limit)")
        }
        return value
    }
}
