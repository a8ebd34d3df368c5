internal import CBundledModel
internal import FoundationEssentials

/// Where a model's files come from.
enum ModelSource {
    /// A directory in Hugging Face's layout.
    case directory(String)
    /// The files embedded into this executable.
    case bundled

    /// The model's name unless the configuration gives one: the directory's last component, or `aladdin-tiny`.
    var modelName: String {
        switch self {
        case .directory(let path):
            let last = path.split(separator: "/").last { $0 != "." }
            return last.map(String.init) ?? path
        case .bundled:
            return "aladdin-tiny"
        }
    }

    /// The file of this name, or nil if the model has none.
    func file(_ name: String) throws(ModelLoadingError) -> ModelFile? {
        switch self {
        case .directory(let path):
            return try ModelFile(path: path + "/" + name)
        case .bundled:
            var index = 0
            while true {
                let file = aladdin_bundled_model_file(index)
                guard let candidate = file.name else { return nil }
                if String(cString: candidate) == name {
                    return ModelFile(
                        name: "bundled \(name)",
                        bytes: UnsafeRawBufferPointer(start: file.bytes, count: file.size)
                    )
                }
                index += 1
            }
        }
    }

    /// The file of this name, which every model must have.
    func requiredFile(_ name: String) throws(ModelLoadingError) -> ModelFile {
        guard let file = try file(name) else {
            throw ModelLoadingError(file: path(of: name), problem: "is missing", expected: "a file of this name")
        }
        return file
    }

    func path(of name: String) -> String {
        switch self {
        case .directory(let path): "\(path)/\(name)"
        case .bundled: "bundled \(name)"
        }
    }
}

extension ModelFile {
    /// Decodes the file as JSON.
    func decodeJSON<Value: Decodable>(_ type: Value.Type) throws(ModelLoadingError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ModelLoadingError(file: path, problem: error.sentence, expected: "JSON of a Hugging Face model")
        } catch {
            throw ModelLoadingError(file: path, problem: "cannot be decoded: \(error)")
        }
    }
}

extension DecodingError {
    /// Says in one sentence which field is wrong.
    var sentence: String {
        switch self {
        case .keyNotFound(let key, let context):
            "field \(Self.path(context.codingPath + [key])) is missing"
        case .typeMismatch(let type, let context):
            "field \(Self.path(context.codingPath)) is not of type \(type)"
        case .valueNotFound(let type, let context):
            "field \(Self.path(context.codingPath)) is null instead of \(type)"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            "is not valid JSON (\(context.debugDescription))"
        case .dataCorrupted(let context):
            "field \(Self.path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            "cannot be decoded"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
}
