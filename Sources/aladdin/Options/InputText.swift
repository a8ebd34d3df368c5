internal import ArgumentParser
internal import Foundation

/// A text file that a command reads: a file, a pipe, or standard input by the name of `-`.
struct InputText {
    let text: String
    /// What to call it.
    let name: String

    /// - Parameter what: what it should be, for messages: a trace.
    /// - Throws: `ValidationError` that names the path.
    init(_ path: String, as what: String) throws {
        name = path == "-" ? "standard input" : path
        let data: Data
        do {
            data = try Self.data(path)
        } catch {
            throw ValidationError("cannot read \(what) \(name): \(Self.reason(error, path))")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ValidationError("cannot read \(what) \(name): it must be text in UTF-8")
        }
        self.text = text
    }

    private static func data(_ path: String) throws -> Data {
        let file =
            path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        return try file.readToEnd() ?? Data()
    }

    private static func reason(_ error: any Error, _ path: String) -> String {
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        return isDirectory.boolValue ? "it is a directory" : error.localizedDescription
    }
}
