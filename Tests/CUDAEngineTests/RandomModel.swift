import Foundation
import ServingModel

/// A model directory with random weights in bfloat16.
final class RandomModel {
    let path: String
    let vocabulary = 272
    private let configuration: [String: Any]
    private var generator: SeededGenerator

    /// - Parameters:
    ///   - family: `llama` with rotary scaling, or `qwen2` with biases and tied embeddings.
    ///   - shards: files that the tensors are spread over.
    init(family: String, heads: Int, keyHeads: Int, dimension: Int, shards: Int = 1, seed: UInt64 = 7) throws {
        path = NSTemporaryDirectory() + "aladdin-model-\(UUID().uuidString)"
        generator = SeededGenerator(seed: seed)
        let isQwen2 = family == "qwen2"
        let scaling: [String: Any] = [
            "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 64,
        ]
        configuration = [
            "architectures": [isQwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM"], "model_type": family,
            "vocab_size": vocabulary, "hidden_size": 96, "intermediate_size": 160, "num_hidden_layers": 3,
            "num_attention_heads": heads, "num_key_value_heads": keyHeads, "head_dim": dimension, "hidden_act": "silu",
            "max_position_embeddings": 1024, "rms_norm_eps": 1e-5, "rope_theta": 10_000,
            "rope_scaling": isQwen2 ? NSNull() : scaling as Any, "tie_word_embeddings": isQwen2,
        ]
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let json = try JSONSerialization.data(withJSONObject: configuration)
        try json.write(to: URL(fileURLWithPath: path + "/config.json"))
        let tokenizer = "Tests/ReferenceEngineTests/Fixtures/models/llama-gqa/tokenizer.json"
        try FileManager.default.copyItem(
            atPath: CUDAEngineBuild.repository.appendingPathComponent(tokenizer).path,
            toPath: path + "/tokenizer.json"
        )
        try writeWeights(shards: shards, hasBiases: isQwen2, queries: heads * dimension, keys: keyHeads * dimension)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    private func writeWeights(shards: Int, hasBiases: Bool, queries: Int, keys: Int) throws {
        var tensors: [(name: String, shape: [Int])] = [("model.embed_tokens.weight", [vocabulary, 96])]
        for layer in 0..<3 {
            let prefix = "model.layers.\(layer)."
            let (attention, inner) = (prefix + "self_attn.", prefix + "mlp.")
            for (name, rows) in [("q_proj", queries), ("k_proj", keys), ("v_proj", keys)] {
                tensors.append((attention + name + ".weight", [rows, 96]))
                if hasBiases { tensors.append((attention + name + ".bias", [rows])) }
            }
            tensors.append((attention + "o_proj.weight", [96, queries]))
            tensors.append((inner + "gate_proj.weight", [160, 96]))
            tensors.append((inner + "up_proj.weight", [160, 96]))
            tensors.append((inner + "down_proj.weight", [96, 160]))
            tensors.append((prefix + "input_layernorm.weight", [96]))
            tensors.append((prefix + "post_attention_layernorm.weight", [96]))
        }
        tensors.append(("model.norm.weight", [96]))
        if !hasBiases { tensors.append(("lm_head.weight", [vocabulary, 96])) }
        var index: [String: String] = [:]
        for shard in 0..<shards {
            let name = shards == 1 ? "model.safetensors" : "model-\(shard).safetensors"
            let part = tensors.enumerated().filter { $0.offset % shards == shard }.map(\.element)
            for tensor in part { index[tensor.name] = name }
            try file(of: part).write(to: URL(fileURLWithPath: path + "/" + name))
        }
        guard shards > 1 else { return }
        let json = try JSONSerialization.data(withJSONObject: ["weight_map": index])
        try json.write(to: URL(fileURLWithPath: path + "/model.safetensors.index.json"))
    }

    private func file(of tensors: [(name: String, shape: [Int])]) throws -> Data {
        var header: [String: Any] = ["__metadata__": ["format": "pt"]]
        var data = Data()
        for (name, shape) in tensors {
            let start = data.count
            // Activations keep their size from layer to layer; norms are near 1, biases small.
            let scale = shape.count == 2 ? (3 / Float(shape[1])).squareRoot() : 0.2
            let center: Float = name.hasSuffix("norm.weight") ? 1 : 0
            for _ in 0..<shape.reduce(1, *) {
                let value = center + scale * Float.random(in: -1...1, using: &generator)
                withUnsafeBytes(of: UInt16(truncatingIfNeeded: value.bitPattern >> 16).littleEndian) {
                    data.append(contentsOf: $0)
                }
            }
            header[name] = ["dtype": "BF16", "shape": shape, "data_offsets": [start, data.count]]
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json + data
    }
}
