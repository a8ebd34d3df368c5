import CKernels
import Testing

@testable import ReferenceEngine

@Suite("Kernels and threads")
struct ComputeTests {
    private func values(_ count: Int, seed: Int) -> [Float] {
        (0..<count).map { Float(($0 * 7919 + seed * 104_729) % 2001 - 1000) / 1000 }
    }

    /// What this processor runs, and what one without vector extensions would.
    enum Variant: CaseIterable {
        case chosen
        case portable

        var kernels: aladdin_variant {
            switch self {
            case .chosen: aladdin_chosen_variant()
            case .portable: aladdin_portable_variant()
            }
        }
    }

    @Test("products of every shape agree with plain sums, and with themselves row by row", arguments: Variant.allCases)
    func products(variant: Variant) {
        for columns in [1, 7, 8, 9, 31, 32, 64, 100] {
            for weightRows in [1, 3, 4, 5, 9] {
                for inputRows in [1, 2, 4, 5, 9] {
                    check(variant.kernels, columns: columns, weightRows: weightRows, inputRows: inputRows)
                }
            }
        }
    }

    private func check(_ kernels: aladdin_variant, columns: Int, weightRows: Int, inputRows: Int) {
        let w = values(columns * weightRows, seed: 1)
        let x = values(columns * inputRows, seed: 2)
        let element = aladdin_element_f32
        var y = [Float](repeating: 0, count: weightRows * inputRows)
        kernels.multiply_rows(element, w, weightRows, columns, x, columns, inputRows, &y, weightRows)
        for row in 0..<inputRows {
            let input = Array(x[row * columns..<(row + 1) * columns])
            for output in 0..<weightRows {
                let weights = w[output * columns..<(output + 1) * columns]
                let sum = zip(weights, input).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                #expect(abs(Float(sum) - y[row * weightRows + output]) < 1e-4)
            }
            var alone = [Float](repeating: 0, count: weightRows)
            kernels.multiply_rows(element, w, weightRows, columns, input, columns, 1, &alone, 1)
            #expect(alone == Array(y[row * weightRows..<(row + 1) * weightRows]))
        }
    }

    @Test("all 16-bit patterns widen exactly", arguments: Variant.allCases)
    func widening(variant: Variant) {
        let kernels = variant.kernels
        let patterns = (0..<65_536).map { UInt16($0) }
        var floats = [Float](repeating: 0, count: patterns.count)
        kernels.expand(aladdin_element_bf16, patterns, patterns.count, &floats)
        #expect(zip(patterns, floats).allSatisfy { $1.bitPattern == UInt32($0) << 16 })
        kernels.expand(aladdin_element_f16, patterns, patterns.count, &floats)
        for (pattern, float) in zip(patterns, floats) {
            let exponent = Int(pattern >> 10 & 31)
            let fraction = Float(pattern & 1023)
            let sign: Float = pattern & 0x8000 == 0 ? 1 : -1
            if exponent == 31 {
                #expect(fraction == 0 ? float == sign * .infinity : float.isNaN)
            } else {
                let significand = exponent == 0 ? fraction : fraction + 1024
                #expect(float == sign * Float(sign: .plus, exponent: max(1, exponent) - 25, significand: significand))
            }
        }
    }

    @Test("weighted rows are added", arguments: Variant.allCases)
    func weightedRows(variant: Variant) {
        let kernels = variant.kernels
        for columns in [1, 8, 32, 33, 80] {
            let rows = values(5 * columns, seed: 3)
            let weights = values(5, seed: 4)
            var out = [Float](repeating: 1, count: columns)
            kernels.add_weighted_rows(weights, rows, 5, columns, &out)
            for column in 0..<columns {
                var sum = 1.0
                for row in 0..<5 { sum += Double(weights[row]) * Double(rows[row * columns + column]) }
                #expect(abs(Float(sum) - out[column]) < 1e-5)
            }
        }
    }

    @Test("every task of every loop runs once, whatever the number of threads", arguments: [1, 2, 5])
    func threadPool(threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        #expect(pool.threadCount == threads)
        for count in [0, 1, 2, 3, 100, 1000] {
            for _ in 0..<50 {
                var runs = [Int](repeating: 0, count: count)
                runs.withUnsafeMutableBufferPointer { runs in
                    nonisolated(unsafe) let runs = runs
                    pool.run(count) { task, thread in
                        precondition((0..<threads).contains(thread))
                        runs[task] += 1
                    }
                }
                #expect(runs.allSatisfy { $0 == 1 })
            }
        }
    }

    @Test("KV blocks are taken whole, given back, and never handed out twice")
    func cache() throws {
        let cache = try #require(KVCache(layers: 2, heads: 2, headDimension: 4, capacityTokens: 50))
        #expect(cache.blockCount == 4)
        var first: [Int32] = []
        var second: [Int32] = []
        #expect(cache.extend(&first, toTokens: 17))
        #expect(first.count == 2)
        #expect(cache.extend(&first, toTokens: 32))
        #expect(first.count == 2)
        #expect(!cache.extend(&second, toTokens: 33))
        #expect(second.isEmpty)
        #expect(cache.extend(&second, toTokens: 32))
        #expect(Set(first + second).count == 4)
        cache.release(&first)
        #expect(cache.freeBlocks == 2)
        #expect(cache.keys(layer: 1, block: 3, head: 1) + 64 == cache.values(layer: 1, block: 3, head: 0))
    }
}
