internal import Glibc

/// Rotary position embedding (Su et al., 2021), in the half-split layout of Hugging Face checkpoints.
///
/// Pair `i` of a head, elements `i` and `i + headDimension / 2`, turns by `position · frequency[i]`. Angles are computed in
/// single precision, as the models were trained.
struct RotaryEmbedding {
    /// Radians per position, one for each pair.
    let frequencies: [Float]

    init(headDimension: Int, theta: Double, scaling: RotaryScaling) {
        frequencies = (0..<headDimension / 2).map { pair in
            let exponent = Float(2 * pair) / Float(headDimension)
            return scaling.scaled(1 / powf(Float(theta), exponent))
        }
    }

    /// Cosines then sines of all pairs at `position`: `headDimension` floats.
    func writeAngles(position: Int, to table: UnsafeMutablePointer<Float>) {
        for (pair, frequency) in frequencies.enumerated() {
            let angle = Float(position) * frequency
            table[pair] = cosf(angle)
            table[pair + frequencies.count] = sinf(angle)
        }
    }

    /// Turns `heads` consecutive heads in place by the angles of one position.
    func rotate(_ vectors: UnsafeMutablePointer<Float>, heads: Int, angles: UnsafePointer<Float>) {
        let half = frequencies.count
        for head in 0..<heads {
            let first = vectors + head * 2 * half
            let second = first + half
            for pair in 0..<half {
                let (a, b) = (first[pair], second[pair])
                let (cosine, sine) = (angles[pair], angles[pair + half])
                first[pair] = a * cosine - b * sine
                second[pair] = b * cosine + a * sine
            }
        }
    }
}
