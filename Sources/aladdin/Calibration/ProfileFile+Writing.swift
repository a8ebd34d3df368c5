internal import Foundation
internal import ServingModel

extension ProfileFile {
    /// Writes the file form, members in the order of their names.
    static func write(_ profile: LatencyProfile, to file: OutputFile) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try file.write(String(decoding: try encoder.encode(profile), as: UTF8.self) + "\n")
    }
}
