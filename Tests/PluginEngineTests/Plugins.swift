import EngineInterface
import Foundation
import PluginEngine
import ServingModel
import Synchronization
import Testing

/// Plug-ins that the tests compile, each once.
enum Plugins {
    private static let made = Mutex<[String: String]>([:])
    private static let root: URL = {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        return root
    }()

    /// The path of the model that comes with Aladdin.
    static let modelDirectory = root.appendingPathComponent("Sources/CBundledModel/model").path

    /// The library of `docs/examples/engine.c`.
    static func counter() throws -> String { try library("docs/examples/engine.c") }

    /// A library of `Plugins/broken.c`; `fault` is one that shows before an engine is open.
    static func broken(_ fault: String? = nil) throws -> String {
        try library("Tests/PluginEngineTests/Plugins/broken.c", define: fault.map { "FAULT_\($0)" })
    }

    /// An engine of `Plugins/broken.c` that breaks a promise after some tokens.
    static func engine(fault: String, after tokens: Int = 0, model: String? = nil) throws -> PluginEngine {
        var configuration = PluginEngineConfiguration()
        configuration.options = [.init(key: "fault", value: fault), .init(key: "after", value: "\(tokens)")]
        configuration.modelDirectory = model
        return try PluginEngine(path: broken(), configuration: configuration)
    }

    private static func library(_ source: String, define: String? = nil) throws -> String {
        try made.withLock { made in
            let key = "\(source) \(define ?? "")"
            if let path = made[key] { return path }
            let path = NSTemporaryDirectory() + "aladdin-plugin-\(UUID().uuidString).so"
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
            compiler.arguments =
                ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", path]
                + ["-I", root.appendingPathComponent("Sources/CEngine/include").path]
                + (define.map { ["-D\($0)"] } ?? []) + [root.appendingPathComponent(source).path]
            try compiler.run()
            compiler.waitUntilExit()
            try #require(compiler.terminationStatus == 0, "\(source) does not compile")
            made[key] = path
            return path
        }
    }
}

extension PluginEngine {
    @discardableResult
    func admit(_ id: Int, _ input: PromptInput, maxTokens: Int = 8, resumed: [Int32] = []) throws(Status) -> Int {
        try admit(
            SequenceRequest(
                id: SequenceID(rawValue: id),
                input: input,
                sampling: Sampling(),
                defaultSeed: 1,
                maxTokens: maxTokens,
                resumedTokens: resumed
            )
        )
    }

    /// A step that completes the prompts of some sequences and decodes others.
    func step(decodes: [Int] = [], prompts: [Int] = [], tokens: Int = 4) throws(Status) -> [SequenceOutput] {
        let chunks = prompts.map {
            EngineStep.Chunk(sequence: SequenceID(rawValue: $0), start: 0, end: tokens, completesPrompt: true)
        }
        let ids = decodes.map { SequenceID(rawValue: $0) }
        let workload = StepWorkload(kind: .mixed, prefillTokens: tokens * prompts.count)
        return try step(EngineStep(preempted: [], decodes: ids, chunks: chunks, workload: workload))
    }
}
