/// A model's tensors by name, over one `model.safetensors` or the shards of a `model.safetensors.index.json`.
struct TensorStore {
    struct Tensor {
        var name: String
        var type: String
        var shape: [Int]
        var bytes: UnsafeRawPointer
        var byteCount: Int
        /// The file it is in; keep it as long as `bytes` is used.
        var file: ModelFile
    }

    private(set) var tensors: [String: Tensor] = [:]
    private(set) var files: [ModelFile] = []
    /// The file to blame for a tensor that is in none.
    private let mainPath: String

    init(source: ModelSource) throws(ModelLoadingError) {
        if let file = try source.file("model.safetensors") {
            mainPath = file.path
            try add(file)
            return
        }
        guard let index = try source.file("model.safetensors.index.json") else {
            throw ModelLoadingError(
                file: source.path(of: "model.safetensors"),
                problem: "is missing",
                expected: "this file or model.safetensors.index.json beside its shards"
            )
        }
        mainPath = index.path
        let map = try index.decodeJSON(ShardIndex.self).weight_map
        for name in Set(map.values).sorted() {
            guard !name.contains("/"), let file = try source.file(name) else {
                throw ModelLoadingError(
                    file: index.path,
                    problem: "names the shard \(name), which is missing",
                    expected: "a file of this name beside it"
                )
            }
            try add(file)
        }
        for (name, shard) in map.sorted(by: { $0.key < $1.key }) where tensors[name] == nil {
            throw ModelLoadingError(
                file: index.path,
                problem: "places tensor \(name) in \(shard), which does not have it"
            )
        }
    }

    private mutating func add(_ file: ModelFile) throws(ModelLoadingError) {
        files.append(file)
        for entry in try SafetensorsHeader(file: file).entries {
            guard let start = file.bytes.baseAddress else { continue }
            let tensor = Tensor(
                name: entry.name,
                type: entry.type,
                shape: entry.shape,
                bytes: start + entry.range.lowerBound,
                byteCount: entry.range.count,
                file: file
            )
            if let other = tensors.updateValue(tensor, forKey: entry.name) {
                throw ModelLoadingError(
                    file: file.path,
                    problem: "tensor \(entry.name) is also in \(other.file.path)",
                    expected: "every tensor once"
                )
            }
        }
    }

    /// The tensor of this name with its element type, checked to have this shape.
    func tensor(_ name: String, shape: [Int]) throws(ModelLoadingError) -> (Tensor, ElementType) {
        guard let tensor = tensors[name] else {
            throw ModelLoadingError(
                file: mainPath,
                problem: "tensor \(name) is missing",
                expected: "it with the shape \(shape)"
            )
        }
        guard tensor.shape == shape else {
            throw ModelLoadingError(
                file: tensor.file.path,
                problem: "tensor \(name) has the shape \(tensor.shape)",
                expected: "\(shape), as config.json has it"
            )
        }
        guard let element = ElementType(rawValue: tensor.type) else {
            throw ModelLoadingError(
                file: tensor.file.path,
                problem: "tensor \(name) has the dtype \(tensor.type)",
                expected: "F32, F16 or BF16"
            )
        }
        return (tensor, element)
    }
}

/// What is used of `model.safetensors.index.json`.
private struct ShardIndex: Decodable {
    /// Tensor name to file name.
    var weight_map: [String: String]
}
