internal import Glibc

/// A Llama-family decoder: RMSNorm, rotary positions, grouped-query attention over a paged KV cache, SwiGLU.
///
/// `forward` takes rows, each one token of one sequence, and leaves their keys and values in the cache and their hidden
/// states in `hidden`; `logits` turns some of those into scores. Activations are floats throughout.
final class Transformer {
    /// Consecutive positions of one sequence.
    struct Segment {
        var tokens: ArraySlice<Int32>
        var firstPosition: Int
        /// Covers `firstPosition + tokens.count` positions; those before hold the sequence's keys and values already.
        var blocks: [Int32]
    }

    /// One row of a pass.
    struct Row {
        var token: Int32
        var position: Int
        var segment: Int
    }

    let configuration: ModelConfiguration
    let weights: ModelWeights
    let cache: KVCache
    let pool: ThreadPool
    let rotary: RotaryEmbedding
    private let multiplier: MatrixMultiplier

    private let hiddenBuffer = FloatBuffer()
    private let normedBuffer = FloatBuffer()
    private let queryBuffer = FloatBuffer()
    private let keyBuffer = FloatBuffer()
    private let valueBuffer = FloatBuffer()
    private let contextBuffer = FloatBuffer()
    private let projectedBuffer = FloatBuffer()
    private let gateBuffer = FloatBuffer()
    private let upBuffer = FloatBuffer()
    private let angleBuffer = FloatBuffer()
    private let logitBuffer = FloatBuffer()
    let attentionScratch: [FloatBuffer]

    init(configuration: ModelConfiguration, weights: ModelWeights, cache: KVCache, pool: ThreadPool) {
        self.configuration = configuration
        self.weights = weights
        self.cache = cache
        self.pool = pool
        multiplier = MatrixMultiplier(pool: pool)
        rotary = RotaryEmbedding(
            headDimension: configuration.headDimension,
            theta: configuration.ropeTheta,
            scaling: configuration.ropeScaling
        )
        attentionScratch = (0..<pool.threadCount).map { _ in FloatBuffer() }
    }

    /// Computes one pass over all rows of `segments`.
    ///
    /// Returns the rows' hidden states `[rows, hiddenSize]` in order, before the final norm; valid until the next call.
    func forward(_ segments: [Segment], method: MatrixMultiplier.Method) -> UnsafeMutablePointer<Float> {
        let rows = rows(of: segments)
        let count = rows.count
        let hiddenSize = configuration.hiddenSize
        let hidden = hiddenBuffer.reserve(count * hiddenSize)
        let angles = angleBuffer.reserve(count * configuration.headDimension)
        for (index, row) in rows.enumerated() {
            weights.embedding.expandRow(Int(row.token), into: hidden + index * hiddenSize)
            rotary.writeAngles(position: row.position, to: angles + index * configuration.headDimension)
        }
        let tiles = attentionTiles(of: segments)
        for index in weights.layers.indices {
            attentionBlock(index, rows: rows, segments: segments, tiles: tiles, hidden: hidden, method: method)
            feedForwardBlock(index, rows: count, hidden: hidden, method: method)
        }
        return hidden
    }

    /// Scores every token of the vocabulary for some hidden states.
    ///
    /// `states` are `[count, hiddenSize]`, the scores `[count, vocabularySize]`; those are valid until the next call.
    func logits(of states: UnsafePointer<Float>, count: Int) -> UnsafeMutablePointer<Float> {
        let normed = normedBuffer.reserve(count * configuration.hiddenSize)
        normalise(states, weight: weights.finalNorm, rows: count, into: normed)
        let logits = logitBuffer.reserve(count * configuration.vocabularySize)
        multiplier.apply(
            [.init(weight: weights.output, output: logits)],
            to: normed,
            inputRows: count,
            method: .rows
        )
        return logits
    }

    private func rows(of segments: [Segment]) -> [Row] {
        var rows: [Row] = []
        for (index, segment) in segments.enumerated() {
            for (offset, token) in segment.tokens.enumerated() {
                rows.append(Row(token: token, position: segment.firstPosition + offset, segment: index))
            }
        }
        return rows
    }

    private func attentionBlock(
        _ index: Int,
        rows: [Row],
        segments: [Segment],
        tiles: [AttentionTile],
        hidden: UnsafeMutablePointer<Float>,
        method: MatrixMultiplier.Method
    ) {
        let layer = weights.layers[index]
        let count = rows.count
        let normed = normedBuffer.reserve(count * configuration.hiddenSize)
        normalise(hidden, weight: layer.inputNorm, rows: count, into: normed)
        let queries = queryBuffer.reserve(count * configuration.queryDimension)
        let keys = keyBuffer.reserve(count * configuration.keyValueDimension)
        let values = valueBuffer.reserve(count * configuration.keyValueDimension)
        multiplier.apply(
            [
                .init(weight: layer.query, output: queries), .init(weight: layer.key, output: keys),
                .init(weight: layer.value, output: values),
            ],
            to: normed,
            inputRows: count,
            method: method
        )
        rotateAndStore(layer: index, rows: rows, segments: segments, queries: queries, keys: keys, values: values)
        let context = contextBuffer.reserve(count * configuration.queryDimension)
        attend(layer: index, tiles: tiles, segments: segments, queries: queries, into: context)
        let projected = projectedBuffer.reserve(count * configuration.hiddenSize)
        multiplier.apply(
            [.init(weight: layer.attentionOutput, output: projected)],
            to: context,
            inputRows: count,
            method: method
        )
        add(projected, to: hidden, count: count * configuration.hiddenSize)
    }

    private func feedForwardBlock(
        _ index: Int,
        rows: Int,
        hidden: UnsafeMutablePointer<Float>,
        method: MatrixMultiplier.Method
    ) {
        let layer = weights.layers[index]
        let normed = normedBuffer.reserve(rows * configuration.hiddenSize)
        normalise(hidden, weight: layer.feedForwardNorm, rows: rows, into: normed)
        let inner = rows * configuration.intermediateSize
        let gate = gateBuffer.reserve(inner)
        let up = upBuffer.reserve(inner)
        multiplier.apply(
            [.init(weight: layer.gate, output: gate), .init(weight: layer.up, output: up)],
            to: normed,
            inputRows: rows,
            method: method
        )
        activate(gate: gate, up: up, count: inner)
        let projected = projectedBuffer.reserve(rows * configuration.hiddenSize)
        multiplier.apply(
            [.init(weight: layer.down, output: projected)],
            to: gate,
            inputRows: rows,
            method: method
        )
        add(projected, to: hidden, count: rows * configuration.hiddenSize)
    }

    private func rotateAndStore(
        layer: Int,
        rows: [Row],
        segments: [Segment],
        queries: UnsafeMutablePointer<Float>,
        keys: UnsafeMutablePointer<Float>,
        values: UnsafeMutablePointer<Float>
    ) {
        let dimension = configuration.headDimension
        let heads = configuration.keyValueHeads
        let angles = angleBuffer.pointer
        for (index, row) in rows.enumerated() {
            let rowAngles = angles + index * dimension
            rotary.rotate(
                queries + index * configuration.queryDimension,
                heads: configuration.heads,
                angles: rowAngles
            )
            let rowKeys = keys + index * configuration.keyValueDimension
            rotary.rotate(rowKeys, heads: heads, angles: rowAngles)
            let rowValues = values + index * configuration.keyValueDimension
            let block = segments[row.segment].blocks[row.position / KVCache.blockTokens]
            let offset = row.position % KVCache.blockTokens * dimension
            for head in 0..<heads {
                (cache.keys(layer: layer, block: block, head: head) + offset)
                    .update(from: rowKeys + head * dimension, count: dimension)
                (cache.values(layer: layer, block: block, head: head) + offset)
                    .update(from: rowValues + head * dimension, count: dimension)
            }
        }
    }
}
