internal import Foundation

/// The built `aladdin`: what `ALADDIN_EXECUTABLE` names, else `.build/debug/aladdin` of the package around.
enum Executable {
    static let path: String = {
        if let given = ProcessInfo.processInfo.environment["ALADDIN_EXECUTABLE"], !given.isEmpty { return given }
        for start in [CommandLine.arguments[0], FileManager.default.currentDirectoryPath, #filePath] {
            var directory = URL(fileURLWithPath: start).standardizedFileURL
            while directory.path != "/" {
                directory.deleteLastPathComponent()
                let candidate = directory.appendingPathComponent(".build/debug/aladdin").path
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            }
        }
        fatalError("no aladdin is built: run `swift build` or set ALADDIN_EXECUTABLE")
    }()

    /// The root of the repository that these tests belong to.
    static let repository: URL = {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return root
    }()
}
