/// Least squares over a few columns, summed up row by row.
///
/// Columns are scaled to length 1 before anything is solved: a constant stands beside squared token counts.
struct NormalEquations {
    /// Xᵀ·X, row by row.
    private var gram: [Double]
    /// Xᵀ·y.
    private var moment: [Double]
    private let count: Int

    init(columns: Int) {
        count = columns
        gram = [Double](repeating: 0, count: columns * columns)
        moment = [Double](repeating: 0, count: columns)
    }

    /// Adds the row that begins at `start` of a matrix.
    mutating func add(_ matrix: [Double], from start: Int, target: Double, weight: Double) {
        var place = 0
        for i in 0..<count {
            let weighted = weight * matrix[start + i]
            var j = 0
            while j <= i {
                gram[place + j] += weighted * matrix[start + j]
                j += 1
            }
            moment[i] += weighted * target
            place += count
        }
    }

    /// The coefficients of ordinary least squares; nil where the columns depend on each other.
    func solution() -> [Double]? {
        var system = self
        let scales = system.scale()
        guard let solution = system.solve(Array(0..<count)) else { return nil }
        return zip(solution, scales).map { $0 * $1 }
    }

    /// The coefficients under the condition that none is negative.
    ///
    /// The active-set method of Lawson and Hanson (1974), on the normal equations as Bro and De Jong (1997) have it. A
    /// column that the others already span gets 0.
    func nonNegativeSolution() -> [Double] {
        var system = self
        let scales = system.scale()
        let solution = system.activeSet()
        return zip(solution, scales).map { $0 * $1 }
    }

    /// The lower factor of the scaled Xᵀ·X and the scales: what prediction intervals need; nil where columns depend on each
    /// other.
    func factor() -> (factor: [Double], scales: [Double])? {
        var system = self
        let scales = system.scale()
        guard CholeskyFactor.factorise(&system.gram, size: count) else { return nil }
        return (system.gram, scales)
    }

    /// Gives every column length 1 and fills the upper half; the factors that lead back.
    private mutating func scale() -> [Double] {
        let scales = (0..<count).map { gram[$0 * count + $0] > 0 ? 1 / gram[$0 * count + $0].squareRoot() : 0 }
        for i in 0..<count {
            for j in 0...i {
                gram[i * count + j] *= scales[i] * scales[j]
                gram[j * count + i] = gram[i * count + j]
            }
            moment[i] *= scales[i]
        }
        return scales
    }

    private func activeSet() -> [Double] {
        var solution = [Double](repeating: 0, count: count)
        var free: [Int] = []
        var excluded = Set<Int>()
        // Each round frees a column; three times as many as there are is the usual bound.
        for _ in 0..<(3 * count) {
            guard let entering = steepest(from: solution, except: free, excluded) else { break }
            guard var trial = solve(free + [entering]) else {
                excluded.insert(entering)
                continue
            }
            free.append(entering)
            while let worst = zip(trial, free).filter({ $0.0 <= 0 }).map(\.1).min(by: {
                ratio($0, solution, trial, free) < ratio($1, solution, trial, free)
            }) {
                // Go towards the trial as far as all stay at 0 or above; what arrives there is held at 0 again.
                let step = ratio(worst, solution, trial, free)
                for (index, column) in free.enumerated() {
                    solution[column] += step * (trial[index] - solution[column])
                }
                solution[worst] = 0
                free.removeAll { solution[$0] <= 1e-15 }
                if worst == entering { excluded.insert(entering) }
                guard let next = solve(free) else { return solution }
                trial = next
            }
            solution = [Double](repeating: 0, count: count)
            for (index, column) in free.enumerated() { solution[column] = trial[index] }
        }
        return solution
    }

    private func ratio(_ column: Int, _ solution: [Double], _ trial: [Double], _ free: [Int]) -> Double {
        guard let index = free.firstIndex(of: column) else { return 1 }
        let distance = solution[column] - trial[index]
        return distance > 0 ? solution[column] / distance : 0
    }

    /// The column held at 0 whose release lowers the sum of squares fastest; nil at the optimum.
    private func steepest(from solution: [Double], except free: [Int], _ excluded: Set<Int>) -> Int? {
        var best: (column: Int, gradient: Double)?
        for column in 0..<count where !free.contains(column) && !excluded.contains(column) {
            var gradient = moment[column]
            for other in 0..<count { gradient -= gram[column * count + other] * solution[other] }
            guard gradient > 1e-10 * abs(moment[column]), gradient > best?.gradient ?? 0 else { continue }
            best = (column, gradient)
        }
        return best?.column
    }

    /// Least squares on some of the columns; nil where they depend on each other.
    private func solve(_ columns: [Int]) -> [Double]? {
        let size = columns.count
        var matrix = columns.flatMap { row in columns.map { gram[row * count + $0] } }
        let target = columns.map { moment[$0] }
        guard CholeskyFactor.factorise(&matrix, size: size) else { return nil }
        return CholeskyFactor.solve(matrix, target, size: size)
    }
}
