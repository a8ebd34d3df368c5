package import EngineInterface
package import ServingModel

/// The CPU engine: a Llama-family decoder over OpenBLAS and own kernels, with a paged KV cache and batched steps.
///
/// Make one from a Hugging Face directory or from the embedded model, then drive it as `Engine` says, from one thread.
/// Loading maps the weights, so it is quick and two engines on one model share memory. The compute threads live as long as
/// the engine and sleep between steps.
///
/// A token does not depend on what else is in its step: decoding rows are reduced in a fixed order, each long prefill chunk
/// is multiplied by itself. It may depend, in the last bits, on how its prompt was cut into chunks.
package final class ReferenceEngine: Engine {
    package let description: EngineDescription

    let transformer: Transformer
    let text: ModelText
    let kvForm: String
    var sequences: [SequenceID: EngineSequence] = [:]
    let selectedStates = FloatBuffer()

    /// Loads a model from a directory in Hugging Face's layout: `config.json`, `tokenizer.json`, `model.safetensors` or its
    /// shards; `tokenizer_config.json`, `generation_config.json` and `chat_template.jinja` where they are there.
    package convenience init(
        directory: String,
        configuration: ReferenceEngineConfiguration = ReferenceEngineConfiguration()
    ) throws(ModelLoadingError) {
        try self.init(source: .directory(directory), configuration: configuration)
    }

    /// Loads the model that is embedded into the executable.
    package convenience init(bundled configuration: ReferenceEngineConfiguration) throws(ModelLoadingError) {
        try self.init(source: .bundled, configuration: configuration)
    }

    init(source: ModelSource, configuration: ReferenceEngineConfiguration) throws(ModelLoadingError) {
        let model = try ModelConfiguration(source: source)
        text = try ModelText(source: source, configuration: model)
        transformer = try Transformer(
            configuration: model,
            weights: ModelWeights(source: source, configuration: model),
            engineConfiguration: configuration
        )
        kvForm = Self.kvCacheForm(of: transformer)
        description = Self.description(
            of: transformer,
            name: configuration.modelName ?? source.modelName,
            configuration: configuration
        )
    }

    package func admit(_ request: SequenceRequest) throws(Status) -> Int {
        guard sequences[request.id] == nil else {
            throw Status(.alreadyExists, .engineFailed, "sequence \(request.id.rawValue) was admitted before")
        }
        try Self.validate(request.sampling)
        let prompt = try text.tokens(of: request.input)
        try validate(request, promptCount: prompt.count)
        var sequence = EngineSequence(
            prompt: prompt,
            request: request,
            contextLength: description.contextLength
        )
        for token in request.resumedTokens {
            _ = sequence.append(token, of: text)
            guard !sequence.isFinished else {
                throw Status(.invalidArgument, .malformed, "the resumed output is a finished answer")
            }
        }
        sequences[request.id] = sequence
        return prompt.count
    }

    package func promptBlocks(of sequence: SequenceID) -> PromptBlocks? {
        guard let state = sequences[sequence] else { return nil }
        let prompt = state.tokens[..<max(0, state.tokens.count - state.outputCount - 1)]
        return PromptBlocks(hashes: BlockPrefixes.hashes(of: prompt), blockTokens: KVCache.blockTokens)
    }

    /// Lets others find what a sequence has computed.
    func notePrefix(of sequence: SequenceID) {
        guard description.keepsPrefixes, let state = sequences[sequence] else { return }
        transformer.cache.note(state.blocks, holding: state.tokens[..<state.computed])
    }

    package func release(_ sequence: SequenceID) {
        notePrefix(of: sequence)
        guard var state = sequences.removeValue(forKey: sequence) else { return }
        transformer.cache.release(&state.blocks)
    }
}
