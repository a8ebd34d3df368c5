internal import Foundation
internal import Synchronization

/// The client's log: each line is handed to the kernel before anything else happens.
final class History: Sendable {
    private struct OpenFailed: Error {}

    private let descriptor: Mutex<Int32>

    init(path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw OpenFailed() }
        self.descriptor = Mutex(descriptor)
    }

    func write(_ object: [String: Any]) {
        guard var line = try? JSONSerialization.data(withJSONObject: object) else { return }
        line.append(UInt8(ascii: "\n"))
        descriptor.withLock { descriptor in
            line.withUnsafeBytes { _ = Foundation.write(descriptor, $0.baseAddress, $0.count) }
        }
    }
}
