import Dispatch
import Glibc

/// A file that is appended to and synced: what the disk itself takes.
final class RawFile {
    private let descriptor: CInt

    init(path: String) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "cannot make \(path)")
    }

    deinit { close(descriptor) }

    /// Milliseconds for one write and one sync.
    func commit(bytes: Int) -> Double {
        let buffer = [UInt8](repeating: 0x61, count: bytes)
        let begin = DispatchTime.now()
        precondition(write(descriptor, buffer, bytes) == bytes && fdatasync(descriptor) == 0, "the disk fails")
        return Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e6
    }
}
