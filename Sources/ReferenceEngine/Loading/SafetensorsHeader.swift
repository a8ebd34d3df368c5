internal import FoundationEssentials

/// The table of contents of a `safetensors` file, validated against the file's size.
///
/// Layout (https://github.com/huggingface/safetensors): eight bytes of little-endian header length, that many bytes of
/// JSON, then the data. The tensors must cover the data without holes or overlaps.
struct SafetensorsHeader {
    /// Longest header that is read: the reference implementation's limit.
    static let maximumLength = 100_000_000

    struct Entry {
        var name: String
        var type: String
        var shape: [Int]
        /// Bytes of the file, header included.
        var range: Range<Int>
    }

    var entries: [Entry]

    init(file: ModelFile) throws(ModelLoadingError) {
        let bytes = file.bytes
        guard bytes.count >= 8 else {
            throw ModelLoadingError(
                file: file.path,
                problem: "is \(bytes.count) bytes long",
                expected: "at least the 8 bytes of a safetensors header length"
            )
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length >= 2, length <= UInt64(Self.maximumLength), length <= UInt64(bytes.count - 8) else {
            throw ModelLoadingError(
                file: file.path,
                problem: "gives its header as \(length) bytes and is \(bytes.count) bytes long in all",
                expected: "a safetensors file whose header fits into it"
            )
        }
        let dataStart = 8 + Int(length)
        let json = Data(bytes[8..<dataStart])
        let fields: HeaderFields
        do {
            fields = try JSONDecoder().decode(HeaderFields.self, from: json)
        } catch let error as DecodingError {
            throw ModelLoadingError(file: file.path, problem: "header: \(error.sentence)", expected: "safetensors JSON")
        } catch {
            throw ModelLoadingError(file: file.path, problem: "header: \(error)", expected: "safetensors JSON")
        }
        entries = []
        for (name, tensor) in fields.tensors {
            let range = try Self.range(of: tensor, named: name, file: file, dataStart: dataStart)
            entries.append(Entry(name: name, type: tensor.dtype, shape: tensor.shape, range: range))
        }
        entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        try Self.checkCoverage(entries, file: file, dataStart: dataStart)
    }

    /// Checks one tensor: its range lies in the file and has as many bytes as its shape and type say.
    private static func range(
        of tensor: TensorFields,
        named name: String,
        file: ModelFile,
        dataStart: Int
    ) throws(ModelLoadingError) -> Range<Int> {
        guard let bits = elementBits[tensor.dtype] else {
            throw ModelLoadingError(
                file: file.path,
                problem: "tensor \(name) has the unknown dtype \(tensor.dtype)",
                expected: "F32, F16 or BF16"
            )
        }
        var elements = 1
        for dimension in tensor.shape {
            let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow, product < Int.max / 64 else {
                throw ModelLoadingError(file: file.path, problem: "tensor \(name) has the shape \(tensor.shape)")
            }
            elements = product
        }
        let available = file.bytes.count - dataStart
        let offsets = tensor.data_offsets
        guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= available else {
            throw ModelLoadingError(
                file: file.path,
                problem: "tensor \(name) has the data offsets \(offsets)",
                expected: "two ascending offsets within the \(available) bytes of data in the file"
            )
        }
        guard offsets[1] - offsets[0] == elements * bits / 8 else {
            throw ModelLoadingError(
                file: file.path,
                problem: "tensor \(name) has \(offsets[1] - offsets[0]) bytes",
                expected: "\(elements * bits / 8) bytes for shape \(tensor.shape) of \(tensor.dtype)"
            )
        }
        return dataStart + offsets[0]..<dataStart + offsets[1]
    }

    private static func checkCoverage(
        _ entries: [Entry],
        file: ModelFile,
        dataStart: Int
    ) throws(ModelLoadingError) {
        var end = dataStart
        var previous = "the header"
        for entry in entries {
            if entry.range.lowerBound != end {
                let overlaps = entry.range.lowerBound < end
                throw ModelLoadingError(
                    file: file.path,
                    problem: "tensor \(entry.name) begins at data byte \(entry.range.lowerBound - dataStart)"
                        + (overlaps ? " and overlaps \(previous)" : ", which leaves bytes that belong to no tensor"),
                    expected: "it to begin at data byte \(end - dataStart), where \(previous) ends"
                )
            }
            end = entry.range.upperBound
            previous = entry.name
        }
        guard end == file.bytes.count else {
            throw ModelLoadingError(
                file: file.path,
                problem: "has \(file.bytes.count - end) bytes after its last tensor, \(previous)",
                expected: "none"
            )
        }
    }

    /// Bits of one element, by the format's name of the type.
    private static let elementBits: [String: Int] = [
        "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8,
        "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
    ]
}

/// One tensor as the header describes it.
private struct TensorFields: Decodable {
    var dtype: String
    var shape: [Int]
    var data_offsets: [Int]
}

/// The whole header: tensors by name, beside free-form metadata that is skipped.
private struct HeaderFields: Decodable {
    struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            nil
        }
    }

    var tensors: [(name: String, fields: TensorFields)] = []

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for key in container.allKeys where key.stringValue != "__metadata__" {
            tensors.append((key.stringValue, try container.decode(TensorFields.self, forKey: key)))
        }
    }
}
