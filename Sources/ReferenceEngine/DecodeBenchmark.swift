internal import CKernels

/// A random model in memory and what a benchmark does with it: decode tokens, or only read its weights.
///
/// Decoding one sequence reads every weight once a token; no engine can be faster than reading them. Both run on the
/// same threads over the same bytes, so their ratio says how much of the machine's memory bandwidth decoding uses.
package final class DecodeBenchmark {
    /// Stored types to measure.
    package enum Element: String, CaseIterable, Sendable {
        case bfloat16
        case float16
        case float32
    }

    private let transformer: Transformer
    private var blocks: [Int32] = []
    private var position = 0

    /// Bytes that one token reads.
    package var bytesPerToken: Int { transformer.weights.bytesPerDecode }
    package var threads: Int { transformer.pool.threadCount }

    /// Makes a Llama of at least 500 MB in 16 bits: 1536 wide, 9 layers.
    ///
    /// - Parameters:
    ///   - element: the weights' type.
    ///   - threads: nil is one per processor.
    /// - Throws: `ModelLoadingError` if there is no memory for the KV cache.
    package init(element: Element, threads: Int? = nil) throws(ModelLoadingError) {
        let configuration = ModelConfiguration(
            vocabularySize: 32_000,
            hiddenSize: 1536,
            intermediateSize: 4096,
            layers: 9,
            heads: 24,
            keyValueHeads: 8,
            headDimension: 64,
            contextLength: 1024,
            normEpsilon: 1e-5,
            ropeTheta: 10_000,
            ropeScaling: .none,
            tiesEmbeddings: true,
            hasAttentionInputBias: false,
            hasAttentionOutputBias: false,
            hasFeedForwardBias: false,
            beginToken: nil,
            endTokens: []
        )
        let stored: ElementType =
            switch element {
            case .bfloat16: .bfloat16
            case .float16: .float16
            case .float32: .float32
            }
        var engineConfiguration = ReferenceEngineConfiguration()
        engineConfiguration.threads = threads
        engineConfiguration.kvCapacityTokens = configuration.contextLength
        transformer = try Transformer(
            configuration: configuration,
            weights: ModelWeights(random: configuration, element: stored, seed: 1),
            engineConfiguration: engineConfiguration
        )
        guard transformer.cache.extend(&blocks, toTokens: configuration.contextLength) else {
            throw ModelLoadingError(file: "the KV cache", problem: "is too small for the benchmark")
        }
    }

    /// Decodes `count` tokens greedily, one after another, and returns the last.
    package func decode(_ count: Int) -> Int32 {
        let vocabulary = transformer.configuration.vocabularySize
        var token: Int32 = 1
        for _ in 0..<count {
            position = (position + 1) % transformer.configuration.contextLength
            let segment = Transformer.Segment(tokens: [token], firstPosition: position, blocks: blocks)
            let hidden = transformer.forward([segment], method: .rows)
            token = Int32(TokenSampler.argmax(transformer.logits(of: hidden, count: 1), count: vocabulary))
        }
        return token
    }

    /// Reads all weights `count` times with all threads, as fast as plain loads go, and returns a checksum.
    package func readWeights(_ count: Int) -> UInt64 {
        let weights = transformer.weights
        let matrices = weights.layers.flatMap(\.matrices) + [weights.output]
        let pieceBytes = 1 << 20
        var pieces: [(start: UnsafeRawPointer, words: Int)] = []
        for matrix in matrices {
            for offset in stride(from: 0, to: matrix.byteCount, by: pieceBytes) {
                pieces.append((matrix.bytes + offset, min(pieceBytes, matrix.byteCount - offset) / 8))
            }
        }
        var sums = [UInt64](repeating: 0, count: pieces.count)
        for _ in 0..<count {
            sums.withUnsafeMutableBufferPointer { sums in
                nonisolated(unsafe) let sums = sums
                transformer.pool.run(pieces.count) { index, _ in
                    let piece = pieces[index]
                    sums[index] &+= aladdin_read_words(piece.start.assumingMemoryBound(to: UInt64.self), piece.words)
                }
            }
        }
        return sums.reduce(0, &+)
    }
}
