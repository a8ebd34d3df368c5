internal import Foundation

/// Where a section's findings are kept: `docs/findings/SCOPE/SECTION.json`, beside the page that is written from them.
struct FindingsFile<Finding: Codable & Sendable>: Sendable {
    private let url: URL

    init(root: String, section: String, scope: Scope) {
        url = URL(fileURLWithPath: root)
            .appendingPathComponent("docs/findings/\(scope.rawValue)/\(section).json")
    }

    /// nil if there is none.
    ///
    /// - Throws: an error that names the file if it is not what this program writes.
    func read() throws -> Findings<Finding>? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf",
                negativeInfinity: "-inf",
                nan: "nan"
            )
            return try decoder.decode(Findings<Finding>.self, from: Data(contentsOf: url))
        } catch {
            throw UsageError(message: "\(url.path) can't be read (\(error)): remove it to answer its questions again")
        }
    }

    func write(_ findings: Findings<Finding>) throws {
        let folder = url.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        try encoder.encode(findings).write(to: url, options: .atomic)
    }
}
