internal import Glibc

/// Files that must not be read by others, and must not be half written.
package enum ProtectedFile {
    private static let largest = 64 << 20

    /// Reads a file that nobody but its owner may read.
    ///
    /// - Throws: `AccessError` with the path if it cannot be read, or others can.
    package static func readSecret(_ path: String) throws(AccessError) -> String {
        let bytes = try read(path) { status throws(AccessError) in
            let mode = status.st_mode & 0o777
            guard mode & 0o077 == 0 else {
                throw AccessError(
                    "\(path) holds a secret key and others may read or write it (mode \(String(mode, radix: 8))); run: chmod 600 \(path)"
                )
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Throws: `AccessError` with the path and the reason.
    static func read(
        _ path: String,
        check: (stat) throws(AccessError) -> Void = { _ in }
    ) throws(AccessError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { throw failure("cannot read", path) }
        defer { close(file) }
        // Of the open file, not of the path: nobody can put another in its place in between.
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("cannot read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw AccessError("\(path) is not a file") }
        guard status.st_size <= largest else { throw AccessError("\(path) is too large") }
        try check(status)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot read", path)
            }
            bytes += buffer[..<count]
            guard bytes.count <= largest else { throw AccessError("\(path) is too large") }
        }
    }

    /// Writes a file that did not exist and that nobody but its owner may read.
    package static func createSecret(_ path: String, _ text: String) throws(AccessError) {
        try create(path, text, mode: 0o600)
    }

    /// Writes a file that did not exist.
    static func create(_ path: String, _ text: String, mode: mode_t) throws(AccessError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("cannot make", path) }
        let isWritten = write(Array(text.utf8), to: file) && fsync(file) == 0
        let code = errno
        close(file)
        guard isWritten else {
            unlink(path)
            errno = code
            throw failure("cannot write", path)
        }
    }

    /// Writes a file anew, so that at any moment it is the old one or the new one.
    static func replace(_ path: String, _ bytes: [UInt8], mode: mode_t) throws(AccessError) {
        let draft = "\(path).\(getpid())"
        try create(draft, String(decoding: bytes, as: UTF8.self), mode: mode)
        guard rename(draft, path) == 0 else {
            let error = failure("cannot write", path)
            unlink(draft)
            throw error
        }
    }

    static func failure(_ what: String, _ path: String) -> AccessError {
        AccessError("\(what) \(path): \(String(cString: strerror(errno)))")
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }
}
