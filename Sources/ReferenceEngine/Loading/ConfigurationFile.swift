/// `config.json` as it is written; fields are named as in the file.
struct ConfigurationFile: Decodable {
    var architectures: [String]?
    var model_type: String?
    var hidden_act: String?
    var vocab_size: Int?
    var hidden_size: Int?
    var intermediate_size: Int?
    var num_hidden_layers: Int?
    var num_attention_heads: Int?
    var num_key_value_heads: Int?
    var head_dim: Int?
    var max_position_embeddings: Int?
    var sliding_window: Int?
    var use_sliding_window: Bool?
    var rms_norm_eps: Double?
    var rope_theta: Double?
    var rope_scaling: RotaryFields?
    /// Where transformers 5 keeps what used to be `rope_theta` and `rope_scaling`.
    var rope_parameters: RotaryFields?
    var tie_word_embeddings: Bool?
    var attention_bias: Bool?
    var mlp_bias: Bool?
    var bos_token_id: TokenIdentifiers?
    var eos_token_id: TokenIdentifiers?
}

/// What is used of `generation_config.json`.
struct GenerationFile: Decodable {
    var eos_token_id: TokenIdentifiers?
}

/// One identifier or a list of them.
struct TokenIdentifiers: Decodable {
    var values: [Int]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(Int.self) {
            values = [one]
        } else {
            values = try container.decode([Int].self)
        }
    }
}

/// `rope_scaling` or `rope_parameters`.
struct RotaryFields: Decodable {
    var rope_type: String?
    /// The older name of `rope_type`.
    var type: String?
    var rope_theta: Double?
    var factor: Float?
    var low_freq_factor: Float?
    var high_freq_factor: Float?
    var original_max_position_embeddings: Int?

    func scaling(file: String) throws(ModelLoadingError) -> RotaryScaling {
        let name = rope_type ?? type ?? "default"
        switch name {
        case "default":
            return .none
        case "linear":
            return .linear(factor: try positive("factor", factor, file: file))
        case "llama3":
            let low = try positive("low_freq_factor", low_freq_factor, file: file)
            let high = try positive("high_freq_factor", high_freq_factor, file: file)
            guard low < high else {
                throw ModelLoadingError(
                    file: file,
                    problem: "low_freq_factor is \(low) and high_freq_factor \(high)",
                    expected: "the first to be the smaller"
                )
            }
            let original = original_max_position_embeddings.map(Float.init)
            return .llama3(
                factor: try positive("factor", factor, file: file),
                lowFrequencyFactor: low,
                highFrequencyFactor: high,
                originalContext: try positive("original_max_position_embeddings", original, file: file)
            )
        default:
            throw ModelLoadingError(
                file: file,
                problem: "rope_type \"\(name)\" is not supported",
                expected: "default, linear or llama3"
            )
        }
    }

    private func positive(_ name: String, _ value: Float?, file: String) throws(ModelLoadingError) -> Float {
        guard let value, value > 0, value.isFinite else {
            let found = value.map { "is \($0)" } ?? "is missing"
            throw ModelLoadingError(file: file, problem: "rope_scaling.\(name) \(found)", expected: "a positive number")
        }
        return value
    }
}
