/// `A = L·Lᵀ` of a small positive definite matrix, row by row in one array.
enum CholeskyFactor {
    /// Puts L into the lower half; false where a column is all but spanned by those before it.
    static func factorise(_ matrix: inout [Double], size: Int) -> Bool {
        for column in 0..<size {
            var pivot = matrix[column * size + column]
            let whole = pivot
            for k in 0..<column { pivot -= matrix[column * size + k] * matrix[column * size + k] }
            guard pivot > 1e-12 * whole, pivot > 0 else { return false }
            let root = pivot.squareRoot()
            matrix[column * size + column] = root
            for row in (column + 1)..<max(size, column + 1) {
                var value = matrix[row * size + column]
                for k in 0..<column { value -= matrix[row * size + k] * matrix[column * size + k] }
                matrix[row * size + column] = value / root
            }
        }
        return true
    }

    /// x with `L·Lᵀ·x = target`.
    static func solve(_ factor: [Double], _ target: [Double], size: Int) -> [Double] {
        var x = forward(factor, target, size: size)
        for row in stride(from: size - 1, through: 0, by: -1) {
            for k in (row + 1)..<max(size, row + 1) { x[row] -= factor[k * size + row] * x[k] }
            x[row] /= factor[row * size + row]
        }
        return x
    }

    /// z with `L·z = target`; zᵀ·z is then `targetᵀ·A⁻¹·target`.
    static func forward(_ factor: [Double], _ target: [Double], size: Int) -> [Double] {
        var z = target
        for row in 0..<size {
            for k in 0..<row { z[row] -= factor[row * size + k] * z[k] }
            z[row] /= factor[row * size + row]
        }
        return z
    }
}
