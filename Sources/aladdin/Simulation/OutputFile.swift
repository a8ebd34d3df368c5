internal import ArgumentParser
internal import Foundation

/// Files that a command writes.
enum OutputFile {
    /// Refuses a place that cannot be written to, before the work is done.
    static func check(_ path: String, option: String) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            throw ValidationError("--\(option) is '\(path)', a directory; it must be a file to write")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw ValidationError("--\(option) is '\(path)', but \(folder) cannot be written to")
        }
    }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
