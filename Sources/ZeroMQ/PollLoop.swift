internal import CZeroMQ
internal import Glibc
package import ServingModel
internal import Synchronization

/// Owns ZeroMQ sockets and runs the actors that use them, on a thread of its own or one shared with other loops.
///
/// Lifecycle: `init` makes nothing run; `start()` starts it; `stop()` runs `onStop`, closes the watched sockets
/// and joins the thread, if no other loop runs on it. An actor moves onto the loop by returning
/// `loop.asUnownedSerialExecutor` as its `unownedExecutor`; it makes its sockets in its own methods, hands them to `watch`,
/// and enters itself from the handlers with `assumeIsolated`. Jobs enqueued before `start()` wait for it.
///
/// One cycle: sleep until a socket is readable, a job arrives or `onCycle` is due; run the jobs that are there; call
/// the handlers of readable sockets, once each; call `onCycle`. All run on one thread, so an actor on the loop must
/// neither block nor compute for long.
///
/// Tasks that prefer a `LoopTaskExecutor` run there, too, between the actors' jobs.
///
/// `enqueue`, `execute`, `start`, `stop`, `now` and `isCurrent` may be called from any thread, all else on the loop's alone (a
/// precondition).
package final class PollLoop: SerialExecutor, @unchecked Sendable {
    /// Its name, and that of its own thread (the kernel keeps 15 bytes of it).
    package let name: String

    private let thread: LoopThread

    /// Jobs and what becomes of the loop, shared by all threads.
    private let inbox: Mutex<Inbox>

    /// Touched by the loop's thread only, like all below.
    let pollSet = PollSet()
    private var cycleHandler: ((Instant) -> Instant)?
    private var stopHandler: (() -> Void)?
    private var cyclesRun = 0

    /// When the next cycle begins at the latest.
    private(set) var due = Instant.zero

    /// No cycle follows.
    private(set) var hasEnded = false

    /// - Parameter thread: shared with the loops that are given the same; nil for one of its own.
    package init(name: String, on thread: LoopThread? = nil) {
        self.name = name
        self.thread = thread ?? LoopThread(name: name)
        inbox = Mutex(Inbox())
    }

    /// Starts the loop; does nothing if it was started or stopped before.
    package func start() {
        let isNew = inbox.withLock { inbox in
            guard inbox.phase == .idle else { return false }
            inbox.phase = .running
            return true
        }
        if isNew { thread.add(self) }
    }

    /// Ends the loop; returns when its sockets are closed and its thread has been joined, unless other loops go on there.
    ///
    /// `onStop` runs first, then the jobs that are there, then the watched sockets are closed. May be called more than
    /// once, also by actors on the loop: a job enqueued afterwards is still run, one at a time, on a thread made for
    /// it, so that nobody awaits an actor for ever. Not affected by cancellation.
    package func stop() async {
        await withCheckedContinuation { continuation in
            let alreadyStopped = inbox.withLock { $0.askToStop(continuation) }
            if alreadyStopped { continuation.resume() } else { thread.signal() }
        }
        thread.joinIfEnded()
    }

    /// Runs `job` on the loop's thread, after those enqueued before it.
    package func enqueue(_ job: consuming ExecutorJob) {
        enqueue(.actor(UnownedJob(job)))
    }

    /// Calls `body` on the loop's thread, in turn with the jobs: for what is too little to make a task of.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        enqueue(.call(body))
    }

    func enqueue(_ job: Inbox.Job) {
        // Once the job is in, it may run elsewhere and let go of the last reference to the loop.
        let loop = Unmanaged.passRetained(self)
        defer { loop.release() }
        switch inbox.withLock({ $0.add(job) }) {
        case .nothing: break
        case .signal: thread.signal()
        case .runLate: pthread_detach(spawnThread(passing: self, to: lateThread))
        }
    }

    /// Lets the next cycle begin at once, so that `onCycle` looks at what another thread has left for it.
    package func wake() {
        inbox.withLock { $0.isWoken = true }
        thread.signal()
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

    /// The same for a descriptor, for as long as the loop runs; closing it is its owner's business, in `onStop`.
    package func watch(descriptor: CInt, onReadable: @escaping () -> Void) {
        checkIsolated()
        pollSet.add(descriptor, onReadable: onReadable)
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
    /// Runs a cycle if there is something to do in it.
    ///
    func runCycle(at now: Instant) {
        let (jobs, isStopping, isWoken) = inbox.withLock { $0.takeJobs() }
        guard
            isWoken || isStopping || !jobs.isEmpty || now >= due || pollSet.isReadable
        else { return }
        pthread_setspecific(currentLoopKey, Unmanaged.passUnretained(self).toOpaque())
        defer { pthread_setspecific(currentLoopKey, nil) }
        if isStopping { stopHandler?() }
        run(jobs)
        guard !isStopping else {
            cycleHandler = nil
            stopHandler = nil
            pollSet.closeAll()
            hasEnded = true
            return
        }
        pollSet.callHandlers()
        due = cycleHandler?(Self.now()) ?? .distantFuture
        cyclesRun += 1
    }

    /// Tells those who wait for the end that it has come.
    func tellEnd() {
        let (waiters, hasLateJobs) = inbox.withLock { $0.becomeStopped() }
        if hasLateJobs { pthread_detach(spawnThread(passing: self, to: lateThread)) }
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

    private func run(_ jobs: [Inbox.Job]) {
        let serial = asUnownedSerialExecutor()
        for entry in jobs {
            switch entry {
            case .actor(let job): job.runSynchronously(on: serial)
            case .task(let job, let executor): job.runSynchronously(on: executor)
            case .call(let body): body()
            }
        }
    }
}

/// The thread-specific value that names the loop that runs on this thread just now.
private let currentLoopKey = makeThreadKey()

private nonisolated func lateThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let loop = Unmanaged<PollLoop>.fromOpaque(argument).takeRetainedValue()
    loop.adoptThread(loop.runLateJobs)
    return nil
}
