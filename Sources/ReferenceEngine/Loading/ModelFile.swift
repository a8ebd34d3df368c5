internal import Glibc

/// A model file's bytes: mapped from disk, or memory that lives as long as the process.
///
/// A mapped file must not be truncated while it is in use; the system answers that with a signal.
final class ModelFile {
    /// The path, or the name of an embedded file; for messages.
    let path: String
    let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool

    /// Memory that outlives the engine.
    init(name: String, bytes: UnsafeRawBufferPointer) {
        path = name
        self.bytes = bytes
        isMapped = false
    }

    /// Maps a file read-only.
    ///
    /// - Returns: nil if there is no such file.
    /// - Throws: `ModelLoadingError` if it is there but cannot be read.
    init?(path: String) throws(ModelLoadingError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw ModelLoadingError(file: path, problem: "cannot be opened: \(Self.systemMessage())")
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw ModelLoadingError(file: path, problem: "is not a regular file")
        }
        self.path = path
        let size = Int(information.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            isMapped = false
            return
        }
        guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
            throw ModelLoadingError(file: path, problem: "cannot be mapped: \(Self.systemMessage())")
        }
        bytes = UnsafeRawBufferPointer(start: memory, count: size)
        isMapped = true
    }

    deinit {
        if isMapped, let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }

    private static func systemMessage() -> String {
        String(cString: strerror(errno))
    }
}
