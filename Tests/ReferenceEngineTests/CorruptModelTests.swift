import Foundation
import Testing

@testable import ReferenceEngine

/// A copy of a fixture model that a test may damage; removed with it.
private final class DamagedModel {
    let directory: URL

    init(_ model: String = "llama-gqa") throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "aladdin-\(UUID().uuidString)")
        try FileManager.default.copyItem(atPath: ModelFixture.model(model), toPath: directory.path)
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
    }

    func edit(_ file: String, _ change: (inout Data) -> Void) throws {
        let url = directory.appending(path: file)
        var data = try Data(contentsOf: url)
        change(&data)
        try data.write(to: url)
    }

    func remove(_ file: String) throws {
        try FileManager.default.removeItem(at: directory.appending(path: file))
    }

    /// Replaces text in a file; in a safetensors header by text of the same length.
    func replace(_ old: String, by new: String, in file: String) throws {
        try edit(file) { data in
            let range = data.range(of: Data(old.utf8))
            #expect(range != nil, "\(file) has no \(old)")
            if let range { data.replaceSubrange(range, with: Data(new.utf8)) }
        }
    }

    func error() -> ModelLoadingError? {
        do {
            _ = try ReferenceEngine(directory: directory.path, configuration: ModelFixture.configuration)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("Damaged models")
struct CorruptModelTests {
    private let weights = "model.safetensors"

    private func expect(_ model: DamagedModel, file: String, mentions words: String...) {
        let error = model.error()
        #expect(error?.file.hasSuffix(file) ?? false, "\(String(describing: error))")
        for word in words {
            #expect(error?.description.contains(word) ?? false, "\(String(describing: error)) lacks \(word)")
        }
    }

    @Test("an undamaged copy loads")
    func undamaged() throws {
        #expect(try DamagedModel().error() == nil)
    }

    @Test("a file cut off anywhere is an error, never a crash")
    func truncated() throws {
        for length in [0, 1, 7, 8, 9, 100, 1000, 5000, 50_000] {
            let model = try DamagedModel()
            try model.edit(weights) { $0 = $0.prefix(length) }
            expect(model, file: weights, mentions: "expected")
        }
    }

    @Test("a header length beyond the file or beyond reason is an error")
    func headerLength() throws {
        for length in [UInt64.max, 1 << 62, 100_000_001, 0, 1] {
            let model = try DamagedModel()
            try model.edit(weights) { data in
                withUnsafeBytes(of: length.littleEndian) { data.replaceSubrange(0..<8, with: $0) }
            }
            expect(model, file: weights, mentions: "header", "\(length)")
        }
    }

    @Test("bytes after the last tensor are an error")
    func trailingBytes() throws {
        let model = try DamagedModel()
        try model.edit(weights) { $0.append(contentsOf: [1, 2, 3]) }
        expect(model, file: weights, mentions: "3 bytes after")
    }

    @Test("wrong types, shapes and offsets name the tensor")
    func tensorFields() throws {
        // Headers keep their length, so that only the one thing is wrong.
        var model = try DamagedModel()
        try model.replace(#""lm_head.weight":{"dtype":"F32""#, by: #""lm_head.weight":{"dtype":"I32""#, in: weights)
        expect(model, file: weights, mentions: "lm_head.weight", "I32", "BF16")
        model = try DamagedModel()
        try model.replace(#""lm_head.weight":{"dtype":"F32""#, by: #""lm_head.weight":{"dtype":"F16""#, in: weights)
        expect(model, file: weights, mentions: "lm_head.weight", "bytes for shape")
        model = try DamagedModel()
        try model.replace(#""lm_head.weight":{"dtype":"F32""#, by: #""lm_head.weight":{"dtype":"X32""#, in: weights)
        expect(model, file: weights, mentions: "lm_head.weight", "X32")
        model = try DamagedModel()
        try model.replace(#""shape":[272,32],"#, by: #""shape":[32,272],"#, in: weights)
        expect(model, file: weights, mentions: "[32, 272]", "[272, 32]", "config.json")
        model = try DamagedModel()
        try model.replace(#""shape":[272,32],"#, by: #""shape":[-72,32],"#, in: weights)
        expect(model, file: weights, mentions: "[-72, 32]")
        model = try DamagedModel()
        try model.replace(#""data_offsets":[0,"#, by: #""data_offsets":[9,"#, in: weights)
        expect(model, file: weights, mentions: "bytes")
    }

    @Test("overlapping, missing and duplicate tensors are errors")
    func layout() throws {
        let entry = #"{"dtype":"F32","shape":[2],"data_offsets":"#
        let header = "{\"a\":\(entry)[0,8]},\"b\":\(entry)"
        for (offsets, word) in [("[4,12]", "overlaps a"), ("[12,20]", "no tensor")] {
            let model = try DamagedModel()
            try model.edit(weights) { $0 = Self.safetensors(header + offsets + "}}", dataBytes: 20) }
            expect(model, file: weights, mentions: "tensor b", word)
        }
        let twice = "{\"a\":\(entry)[0,8]},\"a\":\(entry)[8,16]}}"
        let model = try DamagedModel()
        try model.edit(weights) { $0 = Self.safetensors(twice, dataBytes: 16) }
        expect(model, file: weights, mentions: "tensor")
        let missing = try DamagedModel()
        try missing.replace("model.layers.1.mlp.up_proj", by: "model.layers.1.mlp.xx_proj", in: weights)
        expect(missing, file: weights, mentions: "model.layers.1.mlp.up_proj.weight is missing", "[56, 32]")
    }

    @Test("a header that is no JSON is an error")
    func headerJSON() throws {
        let model = try DamagedModel()
        try model.edit(weights) { $0[8] = UInt8(ascii: "[") }
        expect(model, file: weights, mentions: "header")
    }

    @Test("shards that are missing or lack a tensor are errors")
    func shards() throws {
        let model = try DamagedModel("llama-sharded")
        try model.remove("model-00002-of-00003.safetensors")
        expect(model, file: "model.safetensors.index.json", mentions: "model-00002-of-00003.safetensors")
        let outside = try DamagedModel("llama-sharded")
        try outside.replace("model-00001-of-00003", by: "../model-00001-of-3", in: "model.safetensors.index.json")
        expect(outside, file: "model.safetensors.index.json", mentions: "shard")
        let misplaced = try DamagedModel("llama-sharded")
        try misplaced.replace("\"lm_head.weight\"", by: "\"xx_head.weight\"", in: "model.safetensors.index.json")
        expect(misplaced, file: "model.safetensors.index.json", mentions: "xx_head.weight")
        let twice = try DamagedModel("llama-sharded")
        let first = try Data(contentsOf: twice.directory.appending(path: "model-00001-of-00003.safetensors"))
        try twice.edit("model-00002-of-00003.safetensors") { $0 = first }
        expect(twice, file: "model-00002-of-00003.safetensors", mentions: "is also in")
    }

    @Test("missing files are named")
    func missingFiles() throws {
        for file in ["config.json", "tokenizer.json", weights] {
            let model = try DamagedModel()
            try model.remove(file)
            expect(model, file: file, mentions: "missing")
        }
    }

    @Test("bad JSON and bad fields of the configuration are named")
    func configuration() throws {
        let file = "config.json"
        var model = try DamagedModel()
        try model.edit(file) { $0 = $0.prefix(40) }
        expect(model, file: file, mentions: "JSON")
        let changes = [
            (#""hidden_size": 32"#, #""hidden_size": -3"#, "hidden_size is -3"),
            (#""hidden_size": 32"#, #""hidden_size": "x""#, "hidden_size"),
            (#""vocab_size": 272"#, #""vocab_size": 300"#, "[300, 32]"),
            (#""vocab_size": 272"#, #""vocab_size": 100"#, "vocab_size, 100"),
            (#""num_key_value_heads": 2"#, #""num_key_value_heads": 3"#, "multiple"),
            (#""LlamaForCausalLM""#, #""GPT2LMHeadModel""#, "GPT2LMHeadModel"),
            (#""hidden_act": "silu""#, #""hidden_act": "gelu""#, "gelu"),
            (#""rope_type": "default""#, #""rope_type": "yarn""#, "yarn"),
            (#""head_dim": 8"#, #""head_dim": 7"#, "head_dim is 7"),
        ]
        for (old, new, word) in changes {
            model = try DamagedModel()
            try model.replace(old, by: new, in: file)
            #expect(model.error()?.description.contains(word) ?? false, "\(word): \(String(describing: model.error()))")
        }
    }

    @Test("a tokenizer with bad JSON, another model or merges out of nowhere is an error")
    func tokenizer() throws {
        let file = "tokenizer.json"
        let model = try DamagedModel()
        try model.edit(file) { $0 = $0.prefix(100) }
        expect(model, file: file, mentions: "JSON")
        let other = try DamagedModel()
        try other.replace(#""type":"BPE""#, by: #""type":"Unigram""#, in: file)
        expect(other, file: file, mentions: "Unigram", "BPE")
        let merges = try DamagedModel()
        try merges.replace(#""merges":[]"#, by: #""merges":["a b"]"#, in: file)
        expect(merges, file: file, mentions: "merge 0")
    }

    @Test("changed bytes anywhere are an error or another model, never a crash", arguments: [0, 1, 2, 3])
    func changedBytes(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % bound
        }
        let letters = Array("\"0123456789-,:[]{}e. ax".utf8)
        let model = try DamagedModel()
        for file in ["config.json", "tokenizer.json", weights] {
            let original = try Data(contentsOf: model.directory.appending(path: file))
            for _ in 0..<60 {
                try model.edit(file) { data in
                    for _ in 0...next(3) {
                        data[next(min(data.count, 2500))] = letters[next(letters.count)]
                    }
                }
                _ = model.error()
                try model.edit(file) { $0 = original }
            }
        }
        #expect(model.error() == nil)
    }

    private static func safetensors(_ header: String, dataBytes: Int) -> Data {
        var data = Data()
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header.utf8)
        data.append(Data(count: dataBytes))
        return data
    }
}
