import Foundation

@testable import ReferenceEngine

/// The models and tokenizers that `Fixtures/make_fixtures.py` made.
enum ModelFixture {
    struct Expected: Decodable {
        struct Row: Decodable {
            var position: Int
            var logits: [Float]
        }

        var tokens: [Int32]
        var rows: [Row]
    }

    static let models = [
        "llama-mha-tied", "llama-gqa", "llama-f16", "llama-bf16", "llama-sharded", "llama-head-dim", "llama3-rope",
        "llama3-rope-old", "qwen2",
    ]

    static let tokenizers = ["gpt2", "llama3", "qwen2", "smollm", "bytes"]

    static func path(_ name: String) -> String {
        Bundle.module.bundleURL.appending(path: "Fixtures").appending(path: name).path
    }

    static func model(_ name: String) -> String {
        path("models/\(name)")
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(source: .directory(path("tokenizers/\(name)")))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: path(name))))
    }

    static func expected(_ model: String) throws -> Expected {
        try decode(Expected.self, from: "models/\(model)/expected.json")
    }

    /// Settings for tests: nothing is timed, two threads whatever the machine has.
    static var configuration: ReferenceEngineConfiguration {
        var configuration = ReferenceEngineConfiguration()
        configuration.measuresSpeed = false
        configuration.threads = 2
        configuration.kvCapacityTokens = 4096
        return configuration
    }

    static func engine(
        _ model: String = "llama-gqa",
        configuration: ReferenceEngineConfiguration = configuration
    ) throws -> ReferenceEngine {
        try ReferenceEngine(directory: self.model(model), configuration: configuration)
    }
}
