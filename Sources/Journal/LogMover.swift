internal import GRDB
internal import Glibc

/// Moves the write-ahead log's content into the database, on a thread and a connection of its own.
///
/// That takes two syncs and some megabytes of writing, during which commits go on.
final class LogMover: @unchecked Sendable {
    private let file: JournalFile
    private let fail: @Sendable (JournalFailure) -> Void
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // All below under the mutex.
    private var isWanted = false
    private var isBusy = false
    private var isEnding = false
    private var thread: pthread_t?

    /// - Parameter fail: told, on the mover's thread, that a write or sync failed; nothing is tried after it.
    init(_ file: JournalFile, fail: @escaping @Sendable (JournalFailure) -> Void) {
        self.file = file
        self.fail = fail
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func start() {
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, moverThread, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "cannot start the journal's second thread: \(code)")
        self.thread = thread
    }

    /// Asks for a pass; one that is under way does not count.
    func request() {
        withLock { isWanted = true }
    }

    /// Returns when no pass is under way or asked for.
    func wait() {
        pthread_mutex_lock(mutex)
        while (isWanted || isBusy) && !isEnding { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    /// Returns when the thread has ended.
    func stop() {
        withLock { isEnding = true }
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    fileprivate func run() {
        var connection: DatabaseQueue?
        do {
            while isNextWanted() {
                let opened = try connection ?? file.connect(isFurther: true)
                connection = opened
                try opened.writeWithoutTransaction { try $0.moveLog("PASSIVE") }
                withLock { isBusy = false }
            }
            try connection?.close()
        } catch {
            if let connection { _ = Unmanaged.passRetained(connection) }
            withLock { (isBusy, isEnding) = (false, true) }
            fail(JournalFailure(error, "writing", file.directory.database))
        }
    }

    /// Waits for a request; false at the end.
    private func isNextWanted() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isWanted, !isEnding { pthread_cond_wait(changed, mutex) }
        guard !isEnding else { return false }
        (isWanted, isBusy) = (false, true)
        return true
    }

    private func withLock(_ body: () -> Void) {
        pthread_mutex_lock(mutex)
        body()
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}

private func moverThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<LogMover>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
