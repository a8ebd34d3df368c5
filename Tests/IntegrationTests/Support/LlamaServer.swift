internal import Foundation
internal import Testing

/// llama.cpp's own server with a tiny model, where `.ci/install-llama-server` has put it.
struct LlamaServer: Sendable {
    static let path = Executable.repository.appendingPathComponent(".build/llama-server/llama-server").path

    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    let process: ServiceProcess
    let port: Int

    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter port: nil for one that is free.
    static func start(port: Int? = nil, slots: Int = 2) async throws -> LlamaServer {
        let port = try port ?? freePort()
        let process = ServiceProcess(
            executable: path,
            [
                "--host", "127.0.0.1", "--port", "\(port)", "--ctx-size", "\(1024 * slots)", "--parallel", "\(slots)",
                "--threads", "1", "--metrics", "--alias", "tiny",
            ]
        )
        try await process.line("listening on")
        return LlamaServer(process: process, port: port)
    }

    /// A port that was free a moment ago.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isBound, "no port is free")
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
