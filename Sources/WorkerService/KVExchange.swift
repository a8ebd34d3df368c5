internal import Glibc
package import ServingModel

/// A directory in which workers of one machine leave KV caches for each other: files in shared memory.
///
/// A file is written under another name and renamed, so that what can be found is complete; whoever takes it removes it. It
/// outlives the worker that wrote it. Files are the user's own, as is the directory: a KV cache tells as much as the
/// prompt it was computed from.
package struct KVExchange: Sendable {
    /// After this a file whose worker was killed is removed by whichever worker notices.
    package static let leftoverSeconds = 2 * Int(HandoverDesk.keeping.seconds)
    private static let magic = "aladdin-kv/1 "

    package let directory: String
    /// Names this directory on this machine, and no other, whatever path and container it is seen from.
    private let identity: String

    /// Opens a directory, and makes it if it is not there.
    ///
    /// - Throws: a `Status` that says what is wrong with it.
    package init(directory: String) throws(Status) {
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw Self.fault(directory, "can't be made") }
        var information = stat()
        guard lstat(directory, &information) == 0 else { throw Self.fault(directory, "can't be looked at") }
        guard information.st_mode & S_IFMT == S_IFDIR else { throw Self.problem(directory, "is not a directory") }
        guard information.st_uid == geteuid() else { throw Self.problem(directory, "belongs to another user") }
        guard information.st_mode & 0o077 == 0 else {
            throw Self.problem(directory, "can be read by others; it must be its owner's alone (chmod 700)")
        }
        guard access(directory, W_OK | X_OK) == 0 else { throw Self.fault(directory, "can't be written to") }
        self.directory = directory
        identity = "\(Self.bootIdentifier).\(information.st_dev).\(information.st_ino)"
    }

    /// What a worker registers: equal for those that can take in each other's caches.
    package func name(form: String) -> String { "\(identity):\(form)" }

    /// Where workers meet unless they are told otherwise: in memory that all processes of the user share.
    package static var standardDirectory: String {
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        return "\(base)/aladdin-kv-\(geteuid())"
    }

    /// Changes with every start of the machine, and is the same in all of its containers.
    private static var bootIdentifier: String {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 36)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count).filter { $0 != 0x2D }, as: UTF8.self)
    }
}

extension KVExchange {
    /// Leaves a KV cache.
    ///
    /// - Parameter export: writes it, in pieces.
    /// - Returns: its name, its bytes, and what `export` returned.
    package func leave<Result>(
        form: String,
        _ export: ((UnsafeRawBufferPointer) throws(Status) -> Void) throws(Status) -> Result
    ) throws(Status) -> (name: String, bytes: Int, result: Result) {
        let name = Self.makeName()
        let path = path(of: name)
        let descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.fault(path, "can't be made") }
        defer { close(descriptor) }
        do throws(Status) {
            var bytes = 0
            let header = Array((Self.magic + form + "\n").utf8)
            var failure: Status?
            header.withUnsafeBytes { bytes in
                do throws(Status) { try bytes.write(to: descriptor, path) } catch { failure = error }
            }
            if let failure { throw failure }
            let result = try export { (piece) throws(Status) in
                try piece.write(to: descriptor, path)
                bytes += piece.count
            }
            guard rename(path + ".part", path) == 0 else { throw Self.fault(path, "can't be renamed") }
            return (name, bytes, result)
        } catch {
            unlink(path + ".part")
            throw error
        }
    }

    /// Takes a KV cache out: nobody else finds it any more.
    package func take(_ name: String, form: String) throws(Status) -> [UInt8] {
        guard Self.isName(name) else { throw Status(.aborted, .handoverFailed, "that is no name of a KV cache") }
        let path = path(of: name)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw Status(.aborted, .handoverFailed, "the KV cache is no longer there") }
            throw Self.fault(path, "can't be opened")
        }
        defer { close(descriptor) }
        unlink(path)
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            information.st_uid == geteuid()
        else { throw Self.problem(path, "is not a file of this user's") }
        let bytes = try Self.read(Int(information.st_size), from: descriptor, path)
        let header = Array((Self.magic + form + "\n").utf8)
        guard bytes.starts(with: header) else {
            throw Self.problem(path, "was left by another version, or for another model")
        }
        return Array(bytes.dropFirst(header.count))
    }

    package func contains(_ name: String) -> Bool {
        Self.isName(name) && access(path(of: name), F_OK) == 0
    }

    package func remove(_ name: String) {
        guard Self.isName(name) else { return }
        unlink(path(of: name))
    }

    /// Removes what workers that are gone have left behind.
    ///
    /// - Parameter seconds: how old it has to be.
    /// - Returns: how many files.
    @discardableResult
    package func sweep(olderThan seconds: Int = leftoverSeconds) -> Int {
        guard let listing = opendir(directory) else { return 0 }
        defer { closedir(listing) }
        let now = time(nil)
        var count = 0
        while let entry = readdir(listing) {
            let file = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let name = file.hasSuffix(".kv") ? file.dropLast(3) : file.hasSuffix(".kv.part") ? file.dropLast(8) : ""
            guard Self.isName(String(name)) else { continue }
            var information = stat()
            let path = directory + "/" + file
            guard lstat(path, &information) == 0, now - information.st_mtim.tv_sec >= seconds else { continue }
            if unlink(path) == 0 { count += 1 }
        }
        return count
    }

    private func path(of name: String) -> String { "\(directory)/\(name).kv" }

    private static func makeName() -> String {
        var generator = SystemRandomNumberGenerator()
        let words = [generator.next(), generator.next()]
        return words.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Names come over the network: nothing but a name that this type makes leads to a file.
    static func isName(_ name: String) -> Bool {
        name.utf8.count == 32 && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func read(_ count: Int, from descriptor: Int32, _ path: String) throws(Status) -> [UInt8] {
        var failure: Status?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            while initialised < count {
                let result = Glibc.read(descriptor, buffer.baseAddress! + initialised, count - initialised)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else {
                    failure = fault(path, "can't be read")
                    return
                }
                initialised += result
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private static func problem(_ path: String, _ problem: String) -> Status {
        Status(.aborted, .handoverFailed, "\(path) \(problem)")
    }

    fileprivate static func fault(_ path: String, _ problem: String) -> Status {
        Self.problem(path, "\(problem): \(String(cString: strerror(errno)))")
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func write(to descriptor: Int32, _ path: String) throws(Status) {
        var written = 0
        while written < count {
            let result = Glibc.write(descriptor, baseAddress! + written, count - written)
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw KVExchange.fault(path, "can't be written") }
            written += result
        }
    }
}
