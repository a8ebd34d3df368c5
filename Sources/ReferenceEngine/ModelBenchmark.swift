/// A model from a directory, timed at what an engine does all day: read a prompt, then answer token by token.
///
/// The tokenizer is left out, and greedy tokens are given back, so that an engine with the same weights can be held against it
/// in what it says as well.
package final class ModelBenchmark {
    package struct Result: Sendable {
        /// Tokens per second.
        package var prefillRate: Double
        package var decodeRate: Double
        /// The greedy answer.
        package var tokens: [Int32]
    }

    private let transformer: Transformer

    /// - Parameters:
    ///   - directory: in Hugging Face's layout, without need of a tokenizer.
    ///   - context: tokens of prompt and answer together at most.
    ///   - threads: nil is one per processor.
    package init(directory: String, context: Int, threads: Int? = nil) throws(ModelLoadingError) {
        let source = ModelSource.directory(directory)
        let model = try ModelConfiguration(source: source)
        var configuration = ReferenceEngineConfiguration()
        configuration.threads = threads
        configuration.kvCapacityTokens = context
        transformer = try Transformer(
            configuration: model,
            weights: ModelWeights(source: source, configuration: model),
            engineConfiguration: configuration
        )
    }

    /// Reads a prompt of `prompt` tokens at once, then decodes `answer` tokens one after the other.
    package func run(prompt: Int, answer: Int) throws(ModelLoadingError) -> Result {
        var blocks: [Int32] = []
        guard transformer.cache.extend(&blocks, toTokens: prompt + answer) else {
            throw ModelLoadingError(file: "the KV cache", problem: "is too small for the benchmark")
        }
        defer { transformer.cache.release(&blocks) }
        let vocabulary = transformer.configuration.vocabularySize
        let tokens = (0..<prompt).map { Int32(truncatingIfNeeded: ($0 + 1) * 7919 % vocabulary) }
        let clock = ContinuousClock()
        let begin = clock.now
        var next = forward(tokens, at: 0, blocks, .panels)
        let first = clock.now
        var answered = [next]
        for position in prompt..<prompt + answer {
            next = forward([next], at: position, blocks, .rows)
            answered.append(next)
        }
        let end = clock.now
        return Result(
            prefillRate: Double(prompt) / ((first - begin) / .seconds(1)),
            decodeRate: Double(answer) / ((end - first) / .seconds(1)),
            tokens: answered
        )
    }

    /// - Returns: the likeliest token after these.
    private func forward(
        _ tokens: [Int32],
        at position: Int,
        _ blocks: [Int32],
        _ method: MatrixMultiplier.Method
    ) -> Int32 {
        let segment = Transformer.Segment(tokens: tokens[...], firstPosition: position, blocks: blocks)
        let hidden = transformer.forward([segment], method: method)
        let (vocabulary, size) = (transformer.configuration.vocabularySize, transformer.configuration.hiddenSize)
        let logits = transformer.logits(of: hidden + (tokens.count - 1) * size, count: 1)
        return Int32(TokenSampler.argmax(logits, count: vocabulary))
    }
}
