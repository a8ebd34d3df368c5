internal import ArgumentParser
internal import Foundation
internal import ServingModel

extension ProfileFile {
    /// Writes the file form, members in the order of their names.
    ///
    /// - Throws: `ValidationError` that names the file.
    static func write(_ profile: LatencyProfile, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(profile), as: UTF8.self)
        try write(text: text + "\n", to: path, option: "--out")
    }

    /// Writes a file in one go, so that nobody reads half of it.
    static func write(text: String, to path: String, option: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ValidationError("cannot write \(option) \(path): \(error.localizedDescription)")
        }
    }
}
