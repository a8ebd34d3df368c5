import Glibc
import Testing

/// A directory for a socket's file called `broker`.
struct TemporaryDirectory {
    let path: String

    init() throws {
        // Not TMPDIR, which may be long: a socket's path has room for 107 bytes.
        var template = Array("/tmp/aladdin-zmq-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func remove() {
        unlink("\(path)/broker")
        rmdir(path)
    }

    /// Leaves behind what a killed process does: a socket's file that nobody listens on.
    func leaveSocketFile(named name: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(path)/\(name)".utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        precondition(code == 0)
        close(descriptor)
    }
}

extension TemporaryDirectory {
    /// Makes an ordinary file of one byte.
    func makeFile(named name: String) {
        let descriptor = open("\(path)/\(name)", O_CREAT | O_WRONLY, 0o600)
        precondition(write(descriptor, "x", 1) == 1)
        close(descriptor)
    }

    func hasOrdinaryFile(named name: String) -> Bool {
        var status = stat()
        return lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size == 1
    }
}

/// A TCP port of this machine that nobody listens on and nobody else gets.
final class ReservedPort: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isBound)
    }

    deinit {
        close(descriptor)
    }
}
