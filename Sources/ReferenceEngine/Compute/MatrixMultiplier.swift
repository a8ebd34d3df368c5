internal import CKernels
internal import COpenBLAS

/// Applies weights to activations, on all threads of the pool.
///
/// Two ways with one promise: what a row gets depends on that row (and, for `.panels`, on the rows of its own chunk),
/// never on what else is computed beside it or on the number of threads.
///
/// - `.rows`: own dot-product kernels, the weights read once in their stored type. Bound by memory bandwidth, which is
///   the best there is for one row and fine for some.
/// - `.panels`: 256 weight rows at a time are widened to floats and multiplied by single-threaded `sgemm`, one panel a
///   task. OpenBLAS's own threads stay out of it: they would spin between calls and take the cores from the pool.
final class MatrixMultiplier {
    enum Method {
        case rows
        case panels
    }

    /// One weight and where its outputs go: `[inputRows, weight.rows]`, contiguous.
    struct Application {
        var weight: WeightMatrix
        var output: UnsafeMutablePointer<Float>
    }

    static let panelRows = 256
    /// Rows up to which a chunk is better computed by `.rows`.
    ///
    /// Widening a panel then costs more than `sgemm` saves. Measured on Zen 3, where the two meet between 32 and 48.
    static let shortChunkRows = 32
    /// Multiply-adds below which a product is not worth sharing out: about ten microseconds of one core.
    static let inlineThreshold = 1 << 17
    /// Weight bytes in one task of the `.rows` method: large against hand-out, small against a layer.
    static let taskBytes = 128 << 10

    let pool: ThreadPool
    private let panels: [FloatBuffer]

    init(pool: ThreadPool) {
        self.pool = pool
        panels = (0..<pool.threadCount).map { _ in FloatBuffer() }
        openblas_set_num_threads(1)
    }

    /// Applies weights of the same `columns` to the same input `[inputRows, columns]` in one parallel loop.
    func apply(
        _ applications: [Application],
        to input: UnsafePointer<Float>,
        inputRows: Int,
        method: Method
    ) {
        guard inputRows > 0, let first = applications.first else { return }
        let columns = first.weight.columns
        let tasks = tasks(of: applications, columns: columns, method: method)
        let work = applications.reduce(0) { $0 + $1.weight.rows } * columns * inputRows
        pool.run(tasks.count, inline: work < Self.inlineThreshold) { index, thread in
            let task = tasks[index]
            let application = applications[task.application]
            switch method {
            case .rows:
                multiplyRows(task.rows, of: application, input: input, inputRows: inputRows)
            case .panels:
                multiplyPanel(task.rows, of: application, input: input, inputRows: inputRows, scratch: panels[thread])
            }
            addBias(task.rows, of: application, inputRows: inputRows)
        }
    }

    private struct Task {
        var application: Int
        var rows: Range<Int>
    }

    private func tasks(of applications: [Application], columns: Int, method: Method) -> [Task] {
        var tasks: [Task] = []
        for (index, application) in applications.enumerated() {
            let weight = application.weight
            var step = Self.panelRows
            if method == .rows {
                // A multiple of the kernels' tile of four rows.
                step = max(1, Self.taskBytes / (4 * columns * weight.element.byteCount)) * 4
            }
            for start in stride(from: 0, to: weight.rows, by: step) {
                tasks.append(Task(application: index, rows: start..<min(start + step, weight.rows)))
            }
        }
        return tasks
    }

    private func multiplyRows(
        _ rows: Range<Int>,
        of application: Application,
        input: UnsafePointer<Float>,
        inputRows: Int
    ) {
        let weight = application.weight
        aladdin_multiply_rows(
            weight.element.kernelElement,
            weight.row(rows.lowerBound),
            rows.count,
            weight.columns,
            input,
            weight.columns,
            inputRows,
            application.output + rows.lowerBound,
            weight.rows
        )
    }

    private func multiplyPanel(
        _ rows: Range<Int>,
        of application: Application,
        input: UnsafePointer<Float>,
        inputRows: Int,
        scratch: FloatBuffer
    ) {
        let weight = application.weight
        let columns = weight.columns
        var panel = UnsafePointer(scratch.pointer)
        if weight.element == .float32 {
            panel = weight.row(rows.lowerBound).assumingMemoryBound(to: Float.self)
        } else {
            let expanded = scratch.reserve(Self.panelRows * columns)
            aladdin_expand(weight.element.kernelElement, weight.row(rows.lowerBound), rows.count * columns, expanded)
            panel = UnsafePointer(expanded)
        }
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasTrans,
            Int32(inputRows),
            Int32(rows.count),
            Int32(columns),
            1,
            input,
            Int32(columns),
            panel,
            Int32(columns),
            0,
            application.output + rows.lowerBound,
            Int32(weight.rows)
        )
    }

    private func addBias(_ rows: Range<Int>, of application: Application, inputRows: Int) {
        guard let bias = application.weight.bias?.pointer else { return }
        for inputRow in 0..<inputRows {
            let output = application.output + inputRow * application.weight.rows
            for row in rows {
                output[row] += bias[row]
            }
        }
    }
}
