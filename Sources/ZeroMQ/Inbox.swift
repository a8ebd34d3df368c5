/// What threads share with a poll loop: its jobs, its phase and those who wait for its end.
///
/// Used under the loop's lock.
struct Inbox {
    /// Something to run.
    enum Job {
        /// Of an actor on the loop.
        case actor(UnownedJob)
        /// Of a task that prefers the loop.
        case task(UnownedJob, UnownedTaskExecutor)
        case call(@Sendable () -> Void)
    }

    enum Phase {
        case idle
        case running
        case stopping
        case stopped
    }

    /// What the caller must do after adding a job, outside the lock.
    enum AfterAdding {
        case nothing
        case signal
        case runLate
    }

    var phase = Phase.idle

    /// A cycle was asked for.
    var isWoken = false

    private var jobs: [Job] = []

    /// A signal is on its way, so further jobs need none.
    private var isSignalled = false

    /// A thread is running the jobs that came after the end.
    private var hasLateThread = false

    private var waiters: [CheckedContinuation<Void, Never>] = []

    mutating func add(_ job: Job) -> AfterAdding {
        jobs.append(job)
        if phase == .stopped {
            guard !hasLateThread else { return .nothing }
            hasLateThread = true
            return .runLate
        }
        guard !isSignalled else { return .nothing }
        isSignalled = true
        return .signal
    }

    /// The jobs to run in this cycle, after the wake-up signal was cleared.
    mutating func takeJobs() -> (jobs: [Job], isStopping: Bool, isWoken: Bool) {
        isSignalled = false
        defer { isWoken = false }
        return (takeAll(), phase == .stopping, isWoken)
    }

    /// Asks for the end; true if there is nothing to wait for.
    mutating func askToStop(_ waiter: CheckedContinuation<Void, Never>) -> Bool {
        switch phase {
        case .idle:
            phase = .stopped
            return true
        case .running, .stopping:
            phase = .stopping
            waiters.append(waiter)
            return false
        case .stopped:
            return true
        }
    }

    /// From here on jobs run late; returns who waits for the end and whether jobs are left over.
    mutating func becomeStopped() -> (waiters: [CheckedContinuation<Void, Never>], hasLateJobs: Bool) {
        phase = .stopped
        hasLateThread = !jobs.isEmpty
        defer { waiters = [] }
        return (waiters, hasLateThread)
    }

    /// The next jobs for the late thread; nil tells it to end.
    mutating func takeLateJobs() -> [Job]? {
        guard !jobs.isEmpty else {
            hasLateThread = false
            return nil
        }
        return takeAll()
    }

    private mutating func takeAll() -> [Job] {
        var taken: [Job] = []
        swap(&taken, &jobs)
        return taken
    }
}
