import EngineInterface
import Foundation
import ServingModel
import Testing

@testable import PluginEngine
@testable import ReferenceEngine

/// The CUDA engine as a worker drives it, against the CPU engine on the same weights.
struct EnginePair {
    let cuda: PluginEngine
    let reference: ReferenceEngine
    private let scores: @convention(c) (OpaquePointer, UnsafeMutablePointer<Float>, Int) -> Int64
    private(set) var tokens: [Int: [Int32]] = [:]
    /// Largest difference of a score so far, in standard deviations of the row's scores.
    private(set) var worst: Float = 0
    private var squares: Float = 0
    private var compared: Float = 0
    /// The same, as the root of the mean square.
    var typical: Float { (squares / compared).squareRoot() }

    init(model: String) throws {
        let path = try CUDAEngineBuild.library()
        var configuration = PluginEngineConfiguration()
        configuration.modelDirectory = model
        configuration.kvCapacityTokens = 2048
        configuration.options = [.init(key: "chunk-tokens", value: "256"), .init(key: "max-sequences", value: "8")]
        cuda = try PluginEngine(path: path, configuration: configuration)
        var other = ReferenceEngineConfiguration()
        (other.measuresSpeed, other.threads, other.kvCapacityTokens) = (false, 1, 2048)
        reference = try ReferenceEngine(directory: model, configuration: other)
        let library = try #require(dlopen(path, RTLD_NOW))
        let symbol = try #require(dlsym(library, "aladdin_cuda_scores"))
        scores = unsafeBitCast(symbol, to: type(of: scores))
    }

    mutating func admit(_ id: Int, count: Int, sampling: Sampling = Sampling()) throws {
        let prompt = (0..<count).map { Int32(($0 * 37 + id * 11) % 256) }
        let request = SequenceRequest(
            id: SequenceID(rawValue: id),
            input: .tokens(prompt),
            sampling: sampling,
            defaultSeed: 5,
            maxTokens: 100
        )
        #expect(try cuda.admit(request) == count)
        tokens[id] = prompt
    }

    /// One step; the scores of every sequence that gets a token are compared.
    mutating func step(
        preempted: [Int] = [],
        decodes: [Int] = [],
        chunks: [(id: Int, range: Range<Int>)] = []
    ) throws {
        let step = EngineStep(
            preempted: preempted.map(SequenceID.init),
            decodes: decodes.map(SequenceID.init),
            chunks: chunks.map { id, range in
                let isLast = range.upperBound == tokens[id]?.count
                return .init(
                    sequence: SequenceID(rawValue: id),
                    start: range.lowerBound,
                    end: range.upperBound,
                    completesPrompt: isLast
                )
            },
            workload: StepWorkload(kind: .mixed)
        )
        let outputs = try cuda.step(step)
        let vocabulary = reference.transformer.configuration.vocabularySize
        var rows = [Float](repeating: .nan, count: max(outputs.count, 1) * vocabulary)
        try #require(scores(cuda.plugin.engine, &rows, rows.count) == outputs.count || outputs.isEmpty)
        for (index, output) in outputs.enumerated() {
            let id = output.sequence.rawValue
            let own = Array(rows[index * vocabulary..<(index + 1) * vocabulary])
            compare(own, with: logits(of: tokens[id] ?? []))
            tokens[id]?.append(output.token)
        }
    }

    private mutating func compare(_ own: [Float], with expected: [Float]) {
        let mean = expected.reduce(0, +) / Float(expected.count)
        let deviation = (expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(expected.count)).squareRoot()
        for (value, wanted) in zip(own, expected) {
            let difference = value.isFinite ? abs(value - wanted) / deviation : .infinity
            worst = max(worst, difference)
            squares += difference * difference
            compared += 1
        }
    }

    private func logits(of tokens: [Int32]) -> [Float] {
        let transformer = reference.transformer
        var blocks: [Int32] = []
        defer { transformer.cache.release(&blocks) }
        guard transformer.cache.extend(&blocks, toTokens: tokens.count) else { return [] }
        let segment = Transformer.Segment(tokens: tokens[...], firstPosition: 0, blocks: blocks)
        let hidden = transformer.forward([segment], method: .rows)
        let last = hidden + (tokens.count - 1) * transformer.configuration.hiddenSize
        let logits = transformer.logits(of: last, count: 1)
        return Array(UnsafeBufferPointer(start: logits, count: transformer.configuration.vocabularySize))
    }
}

@Suite("The CUDA engine")
struct ForwardTests {
    @Test("Every kernel computes what plain loops do")
    func kernels() throws {
        let program = NSTemporaryDirectory() + "aladdin-kernels-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: program) }
        let source = CUDAEngineBuild.repository.appendingPathComponent("Tests/CUDAEngineTests/kernels.cc").path
        try CUDAEngineBuild.compile([source, "-o", program])
        let run = try CUDAEngineBuild.run(program, [])
        #expect(run.code == 0 && run.output.contains("numbers compared"), "\(run.output)")
    }

    @Test(
        "Its scores are the CPU engine's within bfloat16, through chunks, batches, long contexts and preemption",
        arguments: ["llama", "qwen2"]
    )
    func forward(family: String) throws {
        let isQwen2 = family == "qwen2"
        let model = try RandomModel(
            family: family,
            heads: isQwen2 ? 4 : 6,
            keyHeads: isQwen2 ? 4 : 2,
            dimension: isQwen2 ? 32 : 16,
            shards: isQwen2 ? 3 : 1
        )
        var pair = try EnginePair(model: model.path)
        try pair.admit(1, count: 70)
        try pair.admit(2, count: 10)
        try pair.admit(3, count: 280)
        try pair.step(chunks: [(1, 0..<40), (2, 0..<10)])
        try pair.step(decodes: [2], chunks: [(1, 40..<70)])
        try pair.step(decodes: [1, 2])
        try pair.step(decodes: [2])
        // More rows than a pass takes: two passes.
        try pair.step(chunks: [(3, 0..<280)])
        // Three rows are padded to four; the long context is split.
        try pair.step(decodes: [1, 2, 3])
        try pair.step(decodes: [3, 1, 2])
        try pair.step(preempted: [2], decodes: [1, 3])
        try pair.step(decodes: [3], chunks: [(2, 0..<(pair.tokens[2]?.count ?? 0))])
        try pair.step(decodes: [2])
        for id in 1...3 { pair.cuda.release(SequenceID(rawValue: id)) }
        // Their blocks are used again, with other contents.
        try pair.admit(4, count: 50)
        try pair.step(chunks: [(4, 0..<50)])
        // Bfloat16 has 8 bits, and a score went through some thirty roundings; a wrong one is off by about 1.
        #expect(pair.typical > 0 && pair.typical < 0.02, "off by \(pair.typical) standard deviations")
        #expect(pair.worst < 0.1, "off by \(pair.worst) standard deviations")
    }

    @Test("A draw follows from seed and place: it is the same again after a preemption")
    func draws() throws {
        let model = try RandomModel(family: "llama", heads: 6, keyHeads: 2, dimension: 16)
        func answer(preempting: Bool) throws -> [Int32] {
            var pair = try EnginePair(model: model.path)
            try pair.admit(1, count: 20, sampling: Sampling(temperature: 2, topP: 0.95, topK: 50, seed: 3))
            try pair.step(chunks: [(1, 0..<20)])
            try pair.step(decodes: [1])
            if preempting {
                try pair.step(preempted: [1])
                try pair.step(chunks: [(1, 0..<22)])
            } else {
                try pair.step(decodes: [1])
            }
            return Array((pair.tokens[1] ?? []).suffix(3))
        }
        let undisturbed = try answer(preempting: false)
        #expect(try answer(preempting: true) == undisturbed)
        #expect(undisturbed.count == 3)
    }

    @Test(
        "It compiles for GPUs where there is nvcc, and without a driver it says so",
        .enabled(if: CUDAEngineBuild.hasCompiler, "no nvcc: see make cuda")
    )
    func compiles() throws {
        let script = CUDAEngineBuild.repository.appendingPathComponent(".ci/build-cuda").path
        let run = try CUDAEngineBuild.run(script, ["--offline"])
        try #require(run.code == 0, "\(run.output)")
        let library = CUDAEngineBuild.repository.appendingPathComponent(".build/cuda/libaladdin-cuda.so").path
        guard !FileManager.default.fileExists(atPath: "/dev/nvidiactl") else { return }
        let model = try RandomModel(family: "llama", heads: 6, keyHeads: 2, dimension: 16)
        var configuration = PluginEngineConfiguration()
        configuration.modelDirectory = model.path
        #expect {
            try PluginEngine(path: library, configuration: configuration)
        } throws: { error in
            "\(error)".contains("no NVIDIA GPU can be used here")
        }
    }

    @Test("A model that it cannot compute is refused with the file and the field")
    func refuses() throws {
        let model = try RandomModel(family: "llama", heads: 6, keyHeads: 2, dimension: 24)
        #expect {
            try EnginePair(model: model.path)
        } throws: { error in
            "\(error)".contains("config.json: head_dim must be a multiple of 16, at most 128")
        }
    }
}
