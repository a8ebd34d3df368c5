internal import Foundation

extension ConfigurationFile {
    /// Reads a file; what is wrong in it is among its faults.
    ///
    /// - Throws: if it cannot be read at all.
    package static func load(_ path: String) throws(ConfigurationFault) -> ConfigurationFile {
        let data: Data
        do {
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            if exists, isDirectory.boolValue { throw ConfigurationFault("it is a directory") }
            guard exists else { throw ConfigurationFault("there is no such file") }
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: limit + 1) ?? Data()
        } catch {
            throw ConfigurationFault(
                "--config is '\(path)', which cannot be read: \(reason(error)); it must be a file of settings"
            )
        }
        guard data.count <= limit else {
            throw ConfigurationFault(
                "--config is '\(path)', which has more than \(limit) bytes; it must be a file of settings"
            )
        }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw ConfigurationFault("--config is '\(path)', which is not text in UTF-8; it must be a file of settings")
        }
        return ConfigurationFile(text, path: path)
    }

    private static func reason(_ error: any Error) -> String {
        (error as? ConfigurationFault)?.description ?? error.localizedDescription
    }
}
