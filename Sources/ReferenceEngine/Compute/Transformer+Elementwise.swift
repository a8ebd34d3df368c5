internal import Glibc

extension Transformer {
    /// Elements in one task of an elementwise loop.
    private static let elementsPerTask = 4096

    /// RMSNorm (Zhang and Sennrich, 2019) of each row: `x / sqrt(mean(x²) + ε) · weight`.
    func normalise(
        _ input: UnsafePointer<Float>,
        weight: FloatBuffer,
        rows: Int,
        into output: UnsafeMutablePointer<Float>
    ) {
        let size = configuration.hiddenSize
        let scale = weight.pointer
        for row in 0..<rows {
            let x = input + row * size
            let y = output + row * size
            var sums = SIMD8<Float>.zero
            var index = 0
            while index + 8 <= size {
                let lanes = UnsafeRawPointer(x + index).loadUnaligned(as: SIMD8<Float>.self)
                sums += lanes * lanes
                index += 8
            }
            var sum = sums.sum()
            while index < size {
                sum += x[index] * x[index]
                index += 1
            }
            let factor = 1 / (sum / Float(size) + configuration.normEpsilon).squareRoot()
            for index in 0..<size {
                y[index] = x[index] * factor * scale[index]
            }
        }
    }

    /// SwiGLU (Shazeer, 2020): `gate = gate · sigmoid(gate) · up`, in place.
    func activate(gate: UnsafeMutablePointer<Float>, up: UnsafePointer<Float>, count: Int) {
        let tasks = (count + Self.elementsPerTask - 1) / Self.elementsPerTask
        pool.run(tasks, inline: tasks < 2) { task, _ in
            let start = task * Self.elementsPerTask
            for index in start..<min(start + Self.elementsPerTask, count) {
                let x = gate[index]
                gate[index] = x / (1 + expf(-x)) * up[index]
            }
        }
    }

    /// `target += addend`, elementwise: the residual connection.
    func add(_ addend: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int) {
        for index in 0..<count {
            target[index] += addend[index]
        }
    }
}
