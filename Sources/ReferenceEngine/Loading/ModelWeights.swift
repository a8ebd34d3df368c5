internal import CKernels

/// A decoder's weights: matrices in their stored type, vectors as floats.
struct ModelWeights {
    struct Layer {
        var inputNorm: FloatBuffer
        var query: WeightMatrix
        var key: WeightMatrix
        var value: WeightMatrix
        var attentionOutput: WeightMatrix
        var feedForwardNorm: FloatBuffer
        var gate: WeightMatrix
        var up: WeightMatrix
        var down: WeightMatrix

        var matrices: [WeightMatrix] { [query, key, value, attentionOutput, gate, up, down] }
    }

    /// `[vocabulary, hidden]`.
    var embedding: WeightMatrix
    var layers: [Layer]
    var finalNorm: FloatBuffer
    /// `[vocabulary, hidden]`; the embedding itself where they are tied.
    var output: WeightMatrix
    /// Whatever owns the matrices' bytes.
    var storage: [AnyObject]

    /// Bytes that decoding one token reads: all matrices but the embedding, of which it reads one row.
    var bytesPerDecode: Int {
        layers.reduce(output.byteCount) { sum, layer in
            layer.matrices.reduce(sum) { $0 + $1.byteCount }
        }
    }
}

extension ModelWeights {
    /// Finds every tensor that the configuration calls for, by the names of Hugging Face's Llama and Qwen2.
    init(source: ModelSource, configuration: ModelConfiguration) throws(ModelLoadingError) {
        var reader = WeightReader(store: try TensorStore(source: source))
        let hidden = configuration.hiddenSize
        let vocabulary = configuration.vocabularySize
        embedding = try reader.matrix("model.embed_tokens", rows: vocabulary, columns: hidden)
        layers = []
        for index in 0..<configuration.layers {
            layers.append(try reader.layer(index, configuration: configuration))
        }
        finalNorm = try reader.vector("model.norm.weight", count: hidden)
        output = embedding
        if !configuration.tiesEmbeddings {
            output = try reader.matrix("lm_head", rows: vocabulary, columns: hidden)
        }
        storage = reader.storage
    }
}

/// Turns named tensors into matrices and vectors.
private struct WeightReader {
    let store: TensorStore
    var storage: [AnyObject]

    init(store: TensorStore) {
        self.store = store
        storage = store.files
    }

    mutating func layer(
        _ index: Int,
        configuration: ModelConfiguration
    ) throws(ModelLoadingError) -> ModelWeights.Layer {
        let prefix = "model.layers.\(index)."
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        let queries = configuration.queryDimension
        let keys = configuration.keyValueDimension
        let inputBias = configuration.hasAttentionInputBias
        let outputBias = configuration.hasAttentionOutputBias
        let innerBias = configuration.hasFeedForwardBias
        let attention = prefix + "self_attn."
        let feedForward = prefix + "mlp."
        return ModelWeights.Layer(
            inputNorm: try vector(prefix + "input_layernorm.weight", count: hidden),
            query: try matrix(attention + "q_proj", rows: queries, columns: hidden, hasBias: inputBias),
            key: try matrix(attention + "k_proj", rows: keys, columns: hidden, hasBias: inputBias),
            value: try matrix(attention + "v_proj", rows: keys, columns: hidden, hasBias: inputBias),
            attentionOutput: try matrix(attention + "o_proj", rows: hidden, columns: queries, hasBias: outputBias),
            feedForwardNorm: try vector(prefix + "post_attention_layernorm.weight", count: hidden),
            gate: try matrix(feedForward + "gate_proj", rows: inner, columns: hidden, hasBias: innerBias),
            up: try matrix(feedForward + "up_proj", rows: inner, columns: hidden, hasBias: innerBias),
            down: try matrix(feedForward + "down_proj", rows: hidden, columns: inner, hasBias: innerBias)
        )
    }

    mutating func matrix(
        _ name: String,
        rows: Int,
        columns: Int,
        hasBias: Bool = false
    ) throws(ModelLoadingError) -> WeightMatrix {
        let (tensor, element) = try store.tensor(name + ".weight", shape: [rows, columns])
        var bytes = tensor.bytes
        if UInt(bitPattern: bytes) % UInt(element.byteCount) != 0 {
            // The format does not promise alignment; the kernels need it.
            let copy = FloatBuffer(capacity: tensor.byteCount / 4 + 1)
            UnsafeMutableRawPointer(copy.pointer).copyMemory(from: bytes, byteCount: tensor.byteCount)
            storage.append(copy)
            bytes = UnsafeRawPointer(copy.pointer)
        }
        let bias = hasBias ? try vector(name + ".bias", count: rows) : nil
        return WeightMatrix(element: element, bytes: bytes, rows: rows, columns: columns, bias: bias)
    }

    func vector(_ name: String, count: Int) throws(ModelLoadingError) -> FloatBuffer {
        let (tensor, element) = try store.tensor(name, shape: [count])
        let aligned = FloatBuffer(capacity: count)
        UnsafeMutableRawPointer(aligned.pointer).copyMemory(from: tensor.bytes, byteCount: tensor.byteCount)
        guard element != .float32 else { return aligned }
        let floats = FloatBuffer(capacity: count)
        aladdin_expand(element.kernelElement, aligned.pointer, count, floats.pointer)
        return floats
    }
}
