extension ModelWeights {
    /// Random weights in memory for benchmarks: the shape of a model without its file.
    ///
    /// - Parameters:
    ///   - configuration: biases are left out.
    ///   - element: the type of all matrices.
    ///   - seed: same seed, same weights.
    init(random configuration: ModelConfiguration, element: ElementType, seed: UInt64) {
        var maker = RandomWeightMaker(element: element, state: seed)
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        let keys = configuration.keyValueDimension
        embedding = maker.matrix(rows: configuration.vocabularySize, columns: hidden)
        layers = []
        for _ in 0..<configuration.layers {
            layers.append(
                Layer(
                    inputNorm: FloatBuffer(repeatElement(1, count: hidden)),
                    query: maker.matrix(rows: configuration.queryDimension, columns: hidden),
                    key: maker.matrix(rows: keys, columns: hidden),
                    value: maker.matrix(rows: keys, columns: hidden),
                    attentionOutput: maker.matrix(rows: hidden, columns: configuration.queryDimension),
                    feedForwardNorm: FloatBuffer(repeatElement(1, count: hidden)),
                    gate: maker.matrix(rows: inner, columns: hidden),
                    up: maker.matrix(rows: inner, columns: hidden),
                    down: maker.matrix(rows: hidden, columns: inner)
                )
            )
        }
        finalNorm = FloatBuffer(repeatElement(1, count: hidden))
        output = embedding
        if !configuration.tiesEmbeddings {
            output = maker.matrix(rows: configuration.vocabularySize, columns: hidden)
        }
        storage = maker.storage
    }
}

/// Fills matrices with numbers of magnitude about `1 / sqrt(columns)`, both signs equally likely.
private struct RandomWeightMaker {
    let element: ElementType
    var state: UInt64
    var storage: [AnyObject] = []

    init(element: ElementType, state: UInt64) {
        self.element = element
        self.state = state
    }

    mutating func matrix(rows: Int, columns: Int) -> WeightMatrix {
        let count = rows * columns
        let buffer = FloatBuffer(capacity: count * element.byteCount / 4 + 1)
        let scale = 1 / Float(columns).squareRoot()
        if element == .float32 {
            for index in 0..<count { buffer.pointer[index] = next() * scale }
        } else {
            buffer.pointer.withMemoryRebound(to: UInt16.self, capacity: count) { halves in
                for index in 0..<count {
                    let value = next() * scale
                    halves[index] = element == .float16 ? Self.float16Bits(value) : UInt16(value.bitPattern >> 16)
                }
            }
        }
        storage.append(buffer)
        return WeightMatrix(element: element, bytes: buffer.pointer, rows: rows, columns: columns, bias: nil)
    }

    /// Truncates a normal number of magnitude below 1; smaller ones become zero.
    private static func float16Bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let exponent = Int(bits >> 23 & 0xFF) - 112
        let sign = UInt16(bits >> 16 & 0x8000)
        guard exponent > 0 else { return sign }
        return sign | UInt16(exponent) << 10 | UInt16(bits >> 13 & 0x3FF)
    }

    /// Uniform in -1..<1, from xorshift64.
    private mutating func next() -> Float {
        state = state == 0 ? 0x9E37_79B9_7F4A_7C15 : state
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
}
