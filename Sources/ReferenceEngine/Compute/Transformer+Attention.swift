internal import CKernels
internal import Glibc

extension Transformer {
    /// Some consecutive rows of one segment, whose attention is computed together: each block of keys and values is
    /// then read once for all of them.
    struct AttentionTile {
        var segment: Int
        /// Index of the first row in the pass.
        var firstRow: Int
        var rows: Int
        var firstPosition: Int

        /// Positions that the tile's last row sees.
        var context: Int { firstPosition + rows }
    }

    /// Query vectors in one tile, over its rows and the heads that share a key head.
    private static let queriesPerTile = 16

    func attentionTiles(of segments: [Segment]) -> [AttentionTile] {
        let tileRows = max(1, Self.queriesPerTile / configuration.headsPerGroup)
        var tiles: [AttentionTile] = []
        var row = 0
        for (index, segment) in segments.enumerated() {
            for start in stride(from: 0, to: segment.tokens.count, by: tileRows) {
                tiles.append(
                    AttentionTile(
                        segment: index,
                        firstRow: row + start,
                        rows: min(tileRows, segment.tokens.count - start),
                        firstPosition: segment.firstPosition + start
                    )
                )
            }
            row += segment.tokens.count
        }
        return tiles
    }

    /// Causal attention of every row over its own sequence's positions up to its own.
    ///
    /// `queries` are `[rows, heads, headDimension]`, rotated; `output` has the same shape.
    func attend(
        layer: Int,
        tiles: [AttentionTile],
        segments: [Segment],
        queries: UnsafePointer<Float>,
        into output: UnsafeMutablePointer<Float>
    ) {
        let groups = configuration.keyValueHeads
        let work = tiles.reduce(0) { $0 + $1.rows * $1.context } * configuration.queryDimension * 2
        pool.run(tiles.count * groups, inline: work < MatrixMultiplier.inlineThreshold) { task, thread in
            // The longest contexts come last in a segment, so begin at the end: no long task is left over.
            let tile = tiles[tiles.count - 1 - task / groups]
            attend(
                layer: layer,
                tile: tile,
                group: task % groups,
                blocks: segments[tile.segment].blocks,
                queries: queries,
                output: output,
                scratch: attentionScratch[thread]
            )
        }
    }

    /// One tile's rows for the query heads of one key head.
    private func attend(
        layer: Int,
        tile: AttentionTile,
        group: Int,
        blocks: [Int32],
        queries: UnsafePointer<Float>,
        output: UnsafeMutablePointer<Float>,
        scratch: FloatBuffer
    ) {
        let dimension = configuration.headDimension
        let groupHeads = configuration.headsPerGroup
        let vectors = tile.rows * groupHeads
        let blockTokens = KVCache.blockTokens
        let usedBlocks = (tile.context + blockTokens - 1) / blockTokens
        let span = usedBlocks * blockTokens
        let gathered = scratch.reserve(vectors * (dimension + span))
        let scores = gathered + vectors * dimension
        let groupSize = groupHeads * dimension
        let groupOffset = group * groupSize
        let rowStride = configuration.queryDimension
        for row in 0..<tile.rows {
            let source = queries + (tile.firstRow + row) * rowStride + groupOffset
            (gathered + row * groupSize).update(from: source, count: groupSize)
        }
        for index in 0..<usedBlocks {
            let keys = cache.keys(layer: layer, block: blocks[index], head: group)
            let seen = min(blockTokens, tile.context - index * blockTokens)
            aladdin_multiply_rows(
                aladdin_element_f32,
                keys,
                seen,
                dimension,
                gathered,
                dimension,
                vectors,
                scores + index * blockTokens,
                span
            )
        }
        let scale = 1 / Float(dimension).squareRoot()
        for vector in 0..<vectors {
            let row = vector / groupHeads
            let context = tile.firstPosition + row + 1
            let weights = scores + vector * span
            softmax(weights, count: context, scale: scale)
            let target = output + (tile.firstRow + row) * rowStride + groupOffset + vector % groupHeads * dimension
            target.update(repeating: 0, count: dimension)
            for index in 0..<(context + blockTokens - 1) / blockTokens {
                aladdin_add_weighted_rows(
                    weights + index * blockTokens,
                    cache.values(layer: layer, block: blocks[index], head: group),
                    min(blockTokens, context - index * blockTokens),
                    dimension,
                    target
                )
            }
        }
    }

    /// `exp(scale · s − max) / Σ`, in place.
    private func softmax(_ scores: UnsafeMutablePointer<Float>, count: Int, scale: Float) {
        var maximum = -Float.infinity
        for index in 0..<count {
            maximum = max(maximum, scores[index])
        }
        var sum: Float = 0
        for index in 0..<count {
            let weight = expf((scores[index] - maximum) * scale)
            scores[index] = weight
            sum += weight
        }
        let factor = 1 / sum
        for index in 0..<count {
            scores[index] *= factor
        }
    }
}
