internal import CZeroMQ
internal import Glibc
package import ServingModel
internal import Synchronization

/// A thread that owns ZeroMQ sockets and runs the actors that use them.
///
/// Lifecycle: `init` makes nothing run; `start()` starts the thread; `stop()` runs `onStop`, closes the watched sockets
/// and joins the thread. An actor moves onto the loop by returning `loop.asUnownedSerialExecutor` as its
/// `unownedExecutor`; it makes its sockets in its own methods, hands them to `watch`, and enters itself from the
/// handlers with `assumeIsolated`. Jobs enqueued before `start()` wait for it.
///
/// One cycle: sleep until a socket is readable, a job arrives or `onCycle` is due; run the jobs that are there; call
/// the handlers of readable sockets, once each; call `onCycle`. All run on one thread, so an actor on the loop must
/// neither block nor compute for long.
///
/// `enqueue`, `start`, `stop`, `now` and `isCurrent` may be called from any thread, all else on the loop's alone (a
/// precondition).
package final class PollLoop: SerialExecutor, @unchecked Sendable {
    /// The thread's name (the kernel keeps 15 bytes of it).
    package let name: String

    /// Jobs and what becomes of the thread, shared by all threads.
    private let inbox: Mutex<Inbox>

    /// Readable when jobs were enqueued or the loop is to stop.
    private let wakeUp: WakeUp

    /// Touched by the loop's thread only, like all below.
    private let pollSet: PollSet
    private var cycleHandler: ((Instant) -> Instant)?
    private var stopHandler: (() -> Void)?
    private var cyclesRun = 0

    package init(name: String) {
        self.name = name
        inbox = Mutex(Inbox())
        wakeUp = WakeUp()
        pollSet = PollSet(wakeUp: wakeUp.descriptor)
    }

    /// Starts the thread; does nothing if it was started or stopped before.
    package func start() {
        inbox.withLock { inbox in
            guard inbox.phase == .idle else { return }
            inbox.phase = .running
            inbox.thread = spawnThread(running: self, entry: loopThread)
        }
    }

    /// Ends the loop; returns when its sockets are closed and its thread has been joined.
    ///
    /// `onStop` runs first, then the jobs that are there, then the watched sockets are closed. May be called more than
    /// once, also by actors on the loop: a job enqueued afterwards is still run, one at a time, on a thread made for
    /// it, so that nobody awaits an actor for ever. Not affected by cancellation.
    package func stop() async {
        await withCheckedContinuation { continuation in
            let alreadyStopped = inbox.withLock { $0.askToStop(continuation) }
            if alreadyStopped { continuation.resume() }
            wakeUp.signal()
        }
        let thread = inbox.withLock { $0.thread.take() }
        if let thread { pthread_join(thread, nil) }
    }

    /// Runs `job` on the loop's thread, after those enqueued before it.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // Once the job is in, it may run elsewhere and let go of the last reference to the loop.
        let loop = Unmanaged.passRetained(self)
        defer { loop.release() }
        switch inbox.withLock({ $0.add(job) }) {
        case .nothing: break
        case .signal: wakeUp.signal()
        case .runLate: pthread_detach(spawnThread(running: self, entry: lateThread))
        }
    }

    /// Lets the next cycle begin at once, so that `onCycle` looks at what another thread has left for it.
    package func wake() {
        wakeUp.signal()
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Whether the caller is on the loop's thread.
    package var isCurrent: Bool {
        pthread_getspecific(currentLoopKey) == Unmanaged.passUnretained(self).toOpaque()
    }

    package func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }

    package func checkIsolated() {
        precondition(isCurrent, "not on the thread of loop \(name)")
    }

    /// The time of `CLOCK_MONOTONIC`.
    package static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

extension PollLoop {
    /// Calls `onReadable` once in every cycle that finds something to receive from `socket`.
    ///
    /// A handler drains a bounded number of messages and returns; if more are there the next cycle calls it again,
    /// after the jobs and the other sockets had their turn. The loop keeps `socket` alive until it is
    /// unwatched or closed.
    package func watch(_ socket: Socket, onReadable: @escaping () -> Void) {
        checkIsolated()
        pollSet.add(socket, onReadable: onReadable)
    }

    /// Ends the calls for `socket`, also in the cycle that is under way.
    package func unwatch(_ socket: Socket) {
        checkIsolated()
        pollSet.remove(socket)
    }

    /// Called at the end of every cycle with the time; returns when it has to be called again at the latest.
    ///
    /// `Instant.distantFuture` means that nothing is due. The call comes up to a millisecond late, never early. Setting
    /// it while the loop runs a job or a handler takes effect in that same cycle.
    package var onCycle: ((Instant) -> Instant)? {
        get {
            checkIsolated()
            return cycleHandler
        }
        set {
            checkIsolated()
            cycleHandler = newValue
        }
    }

    /// Called once when the loop stops, while its sockets can still send.
    package var onStop: (() -> Void)? {
        get {
            checkIsolated()
            return stopHandler
        }
        set {
            checkIsolated()
            stopHandler = newValue
        }
    }

    /// Cycles run so far.
    package var cycles: Int {
        checkIsolated()
        return cyclesRun
    }
}

extension PollLoop {
    /// The thread's work, from `start()` to `stop()`.
    fileprivate func runUntilStopped() {
        var due = Instant.distantFuture
        while true {
            if pollSet.wait(until: due) { wakeUp.clear() }
            let (jobs, isStopping) = inbox.withLock { $0.takeJobs() }
            if isStopping { stopHandler?() }
            run(jobs)
            if isStopping { break }
            pollSet.callHandlers()
            due = cycleHandler?(Self.now()) ?? .distantFuture
            cyclesRun += 1
        }
        cycleHandler = nil
        stopHandler = nil
        pollSet.closeAll()
        let (waiters, hasLateJobs) = inbox.withLock { $0.becomeStopped() }
        if hasLateJobs { pthread_detach(spawnThread(running: self, entry: lateThread)) }
        for waiter in waiters { waiter.resume() }
    }

    /// Runs jobs that came after the end, until none is left.
    fileprivate func runLateJobs() {
        while let jobs = inbox.withLock({ $0.takeLateJobs() }) {
            run(jobs)
        }
    }

    /// Makes this thread the loop's and calls `body`.
    fileprivate func adoptThread(_ body: () -> Void) {
        pthread_setname_np(pthread_self(), String(decoding: name.utf8.prefix(15), as: UTF8.self))
        pthread_setspecific(currentLoopKey, Unmanaged.passUnretained(self).toOpaque())
        body()
        pthread_setspecific(currentLoopKey, nil)
    }

    private func run(_ jobs: [UnownedJob]) {
        for job in jobs {
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}

/// The thread-specific value that names the loop whose thread this is.
private let currentLoopKey: pthread_key_t = {
    var key = pthread_key_t()
    precondition(pthread_key_create(&key, nil) == 0, "no thread-specific values left")
    return key
}()

private typealias ThreadEntry = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?

private func spawnThread(running loop: PollLoop, entry: ThreadEntry) -> pthread_t {
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, entry, Unmanaged.passRetained(loop).toOpaque())
    precondition(code == 0, "cannot start the thread of loop \(loop.name): \(code)")
    return thread
}

private nonisolated func loopThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let loop = Unmanaged<PollLoop>.fromOpaque(argument).takeRetainedValue()
    loop.adoptThread(loop.runUntilStopped)
    return nil
}

private nonisolated func lateThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let loop = Unmanaged<PollLoop>.fromOpaque(argument).takeRetainedValue()
    loop.adoptThread(loop.runLateJobs)
    return nil
}
