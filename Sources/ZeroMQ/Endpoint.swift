internal import Glibc

/// Checks of endpoints that libzmq 4.3.4 leaves out.
///
/// It reads the port with `atoi` into 16 bits, so `tcp://host:99999` binds port 34463; and before it binds an `ipc`
/// socket it deletes whatever has that path, be it the socket of a living broker or a file.
enum Endpoint {
    /// Why `endpoint` must not be bound, as an error number, or nil.
    static func refusalToBind(_ endpoint: String) -> Int32? {
        if let path = socketPath(endpoint) { return refusalToReplace(path) }
        return refusalToConnect(endpoint)
    }

    /// Why `endpoint` must not be connected to, as an error number, or nil.
    static func refusalToConnect(_ endpoint: String) -> Int32? {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        let port = endpoint[endpoint.index(after: colon)...]
        if port == "*" { return nil }
        let isNumber = !port.isEmpty && port.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isNumber && UInt16(port) != nil ? nil : EINVAL
    }

    /// The path of an `ipc` endpoint's socket; nil for other transports, chosen (`*`) and abstract (`@`) names.
    private static func socketPath(_ endpoint: String) -> String? {
        let prefix = "ipc://"
        guard endpoint.hasPrefix(prefix) else { return nil }
        let path = endpoint.dropFirst(prefix.count)
        return path.isEmpty || path == "*" || path.hasPrefix("@") ? nil : String(path)
    }

    /// Refuses a path with anything but a socket that nobody listens on.
    private static func refusalToReplace(_ path: String) -> Int32? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return EEXIST }
        return hasListener(path) ? EADDRINUSE : nil
    }

    private static func hasListener(_ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        // A longer path is libzmq's to refuse.
        guard path.utf8.count < capacity else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let probe = socket(AF_UNIX, type, 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(probe, $0, size) }
        }
        // EAGAIN: someone listens, but has a full backlog.
        return code == 0 || errno == EAGAIN
    }
}
