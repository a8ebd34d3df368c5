internal import Glibc

/// The directory of a journal: its files, who may read them, and the lock that keeps a second broker out.
struct JournalDirectory {
    let path: String

    var database: String { path + "/journal.sqlite" }
    var log: String { database + "-wal" }
    private var lock: String { path + "/lock" }

    /// Makes the directory (0700), takes the lock and makes the database's file (0600), as far as they are missing.
    ///
    /// - Returns: the lock's descriptor, to be given to `unlock`; the end of the process gives the lock back, too.
    func open() throws(JournalFailure) -> CInt {
        try make()
        let descriptor = Glibc.open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot open \(lock)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = errno
            let holder = Self.text(of: descriptor)
            close(descriptor)
            errno = error
            guard error == EWOULDBLOCK else { throw failure("cannot lock \(lock)") }
            throw JournalFailure(
                .inUse,
                "the journal in \(path) is in use by another broker\(holder.isEmpty ? "" : " (process \(holder))")"
            )
        }
        do throws(JournalFailure) {
            let process = "\(getpid())\n"
            guard ftruncate(descriptor, 0) == 0, write(descriptor, process, process.utf8.count) == process.utf8.count
            else { throw failure("cannot write to \(lock)") }
            try makeDatabase()
        } catch {
            Self.unlock(descriptor)
            throw error
        }
        return descriptor
    }

    /// Gives the lock back.
    ///
    /// Closing alone would not, as long as a child of this process is between fork and exec and holds it, too.
    static func unlock(_ descriptor: CInt) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Moves the database and its log into a directory `name` within this one.
    func setAside(_ name: String) throws(JournalFailure) -> JournalDirectory {
        let aside = JournalDirectory(path: path + "/" + name)
        guard mkdir(aside.path, 0o700) == 0 else { throw failure("cannot make the directory \(aside.path)") }
        for (old, new) in [(database, aside.database), (log, aside.log)] {
            guard rename(old, new) == 0 || errno == ENOENT else { throw failure("cannot move \(old) to \(new)") }
        }
        // An index of the log, made anew by whoever opens it.
        unlink(database + "-shm")
        try sync(aside.path)
        try sync(path)
        return aside
    }

    /// Whether the system lets this process write the directory and the database.
    var isWritable: Bool { access(path, W_OK) == 0 && access(database, W_OK) == 0 }

    private func make() throws(JournalFailure) {
        guard mkdir(path, 0o700) != 0 else { return try sync(path + "/..") }
        guard errno == EEXIST else { throw failure("cannot make the directory \(path)") }
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("cannot use \(path)") }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw JournalFailure(.inputOutput, "\(path) is not a directory; the journal needs one")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw JournalFailure(
                .inputOutput,
                "others may read the directory \(path), where prompts and answers are; run: chmod 700 '\(path)'"
            )
        }
    }

    /// SQLite gives its other files the same permissions.
    func makeDatabase() throws(JournalFailure) {
        let descriptor = Glibc.open(database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            guard errno == EEXIST else { throw failure("cannot make \(database)") }
            return
        }
        close(descriptor)
        try sync(path)
    }

    /// So that a new file is still in the directory after a power failure.
    private func sync(_ directory: String) throws(JournalFailure) {
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open \(directory)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot sync \(directory)") }
    }

    private func failure(_ what: String) -> JournalFailure {
        JournalFailure(.inputOutput, "\(what): \(String(cString: strerror(errno)))")
    }

    private static func text(of descriptor: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)).filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
    }
}
