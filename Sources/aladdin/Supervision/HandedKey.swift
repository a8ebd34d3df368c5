internal import AccessControl
internal import Foundation
internal import ServiceLifecycle
internal import ZeroMQ

/// A worker's key on its way to processes that this one starts: a file that only its owner can read, gone at the end.
struct HandedKey: Service {
    private let directory: String
    var path: String { directory + "/worker.key" }

    init(_ keys: PeerKeys) throws {
        directory = NSTemporaryDirectory() + "aladdin-" + UUID().uuidString
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: false,
            attributes: attributes
        )
        let file = SecretKeyFile(name: "worker", role: .worker, keys: keys.own, server: keys.server)
        try ProtectedFile.createSecret(path, file.text)
    }

    func run() async throws {
        try? await gracefulShutdown()
        try? FileManager.default.removeItem(atPath: directory)
    }
}
