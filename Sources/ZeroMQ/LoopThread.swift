internal import CZeroMQ
internal import Glibc
package import ServingModel
internal import Synchronization

/// The thread that a poll loop runs on, or several in turns.
///
/// Loops that pass messages to each other all the time may share one: nobody has to be woken for a message then, which
/// takes longer than most messages take to be dealt with. Each still has its own jobs, sockets and times, and nothing of
/// theirs runs at once.
///
/// The thread begins with the first loop that starts and ends with the last that stops. All members may be called from any
/// thread unless they say otherwise.
package final class LoopThread: @unchecked Sendable {
    private struct State {
        var arriving: [PollLoop] = []
        var isRunning = false
        /// To be joined once it has ended.
        var thread: pthread_t?
    }

    /// The kernel keeps 15 bytes of it.
    private let name: String
    private let state = Mutex(State())
    /// Readable when a loop has something to do that came from another thread.
    private let wakeUp = WakeUp()
    /// Another thread has left something since the loops looked last.
    private let isNudged = Atomic(false)
    /// The thread sleeps, or is about to: only then it has to be woken.
    private let isAsleep = Atomic(false)

    /// Touched by the thread only, like all below.
    private var loops: [PollLoop] = []
    /// What `poll` fills in: the wake-up descriptor, then the sockets of all loops in their order.
    private var items: [pollfd] = []
    private var isStale = true
    /// Something was left for a loop by this thread itself, which needs no wake-up.
    private var hasWork = false
    private var busyPoll: BusyPoll
    /// Rounds since the kernel was asked last.
    private var roundsUnpolled = 0
    /// As many may follow on each other as long as the loops have work for each other.
    private static let mostRoundsUnpolled = 8

    /// - Parameter busyPoll: for how long at most the thread looks for more before it sleeps; see `BusyPoll`.
    package init(name: String, busyPoll: Interval = .zero) {
        self.name = name
        self.busyPoll = BusyPoll(most: busyPoll)
    }

    /// Takes a loop in; its cycles begin.
    func add(_ loop: PollLoop) {
        state.withLock { state in
            state.arriving.append(loop)
            guard !state.isRunning else { return }
            state.isRunning = true
            // Whoever stopped the last loop of the thread before has not come to join it.
            if let ended = state.thread { pthread_detach(ended) }
            state.thread = spawnThread(passing: self, to: loopThread)
        }
        nudge()
    }

    /// The one whose thread this is.
    static var current: LoopThread? {
        pthread_getspecific(currentThreadKey).map { Unmanaged<LoopThread>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Lets the next round begin at once.
    func signal() {
        if pthread_getspecific(currentThreadKey) == Unmanaged.passUnretained(self).toOpaque() {
            hasWork = true
        } else {
            nudge()
        }
    }

    /// The same from another thread.
    ///
    /// A thread that is awake looks by itself before it sleeps, so that nothing has to be asked of the kernel.
    func nudge() {
        // In this order, as in `sleep`: one of both sees what the other has done.
        isNudged.store(true, ordering: .sequentiallyConsistent)
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { wakeUp.signal() }
    }

    /// Waits for the thread's end, if it has no loop any more.
    func joinIfEnded() {
        let thread = state.withLock { $0.isRunning ? nil : $0.thread.take() }
        if let thread { pthread_join(thread, nil) }
    }

    fileprivate func run() {
        pthread_setname_np(pthread_self(), String(decoding: name.utf8.prefix(15), as: UTF8.self))
        pthread_setspecific(currentThreadKey, Unmanaged.passUnretained(self).toOpaque())
        while runRound() {}
        pthread_setspecific(currentThreadKey, nil)
    }

    /// Sleeps until a loop has something to do, and has each do it; false when no loop is left.
    private func runRound() -> Bool {
        takeArrivals()
        wait()
        let now = PollLoop.now()
        var hasEnded = false
        for loop in loops {
            loop.runCycle(at: now)
            if loop.pollSet.isStale { isStale = true }
            if loop.hasEnded { hasEnded = true }
        }
        return !hasEnded || removeEnded()
    }

    private func takeArrivals() {
        let arrived = state.withLock { state in
            defer { state.arriving.removeAll() }
            return state.arriving
        }
        guard !arrived.isEmpty else { return }
        loops += arrived
        isStale = true
    }

    /// - Returns: whether there are still loops.
    private func removeEnded() -> Bool {
        let ended = loops.filter(\.hasEnded)
        loops.removeAll { $0.hasEnded }
        isStale = true
        let goesOn = state.withLock { state in
            state.isRunning = !loops.isEmpty || !state.arriving.isEmpty
            return state.isRunning
        }
        // Only now, so that whoever waits for the last of them finds a thread that it can join.
        for loop in ended { loop.tellEnd() }
        return goesOn
    }

    /// Returns when a loop has something to do.
    ///
    /// libzmq's own `zmq_poll` asks every socket twice, which takes two system calls each; here only those are asked whose
    /// descriptors have something to tell, or have been used since they were asked last.
    private func wait() {
        if isStale || loops.contains(where: { $0.pollSet.hasClosedSockets }) { rebuild() }
        let isNudged = isNudged.exchange(false, ordering: .sequentiallyConsistent)
        var hasWork = hasWork || isNudged || loops.contains(where: { $0.pollSet.isReadable })
        self.hasWork = false
        if hasWork, roundsUnpolled < Self.mostRoundsUnpolled {
            roundsUnpolled += 1
            return
        }
        roundsUnpolled = 0
        for loop in loops { loop.pollSet.settle() }
        if loops.contains(where: { $0.pollSet.isReadable }) { hasWork = true }
        if hasWork { askKernel(timeout: 0) } else { rest() }
        if items[0].revents != 0 { wakeUp.clear() }
        var index = 1
        for loop in loops {
            let count = loop.pollSet.count
            items.withUnsafeBufferPointer { items in
                loop.pollSet.take(UnsafeBufferPointer(rebasing: items[index..<index + count]))
            }
            index += count
        }
    }

    /// Looks on for a moment, and sleeps if that was in vain.
    private func rest() {
        let begin = PollLoop.now()
        if looksOn(from: begin) { return }
        sleep()
        busyPoll.slept(until: PollLoop.now() - begin)
    }

    private func sleep() {
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        let isNudged = isNudged.load(ordering: .sequentiallyConsistent)
        askKernel(timeout: isNudged ? 0 : Self.timeout(until: loops.reduce(.distantFuture) { min($0, $1.due) }))
        isAsleep.store(false, ordering: .sequentiallyConsistent)
        // The loops look after this.
        _ = self.isNudged.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Looks again and again for as long as something is likely to come, in turns with what else wants the processor.
    ///
    /// - Returns: whether something came.
    private func looksOn(from begin: Instant) -> Bool {
        guard busyPoll.span > .zero else { return false }
        let due = loops.reduce(.distantFuture) { min($0, $1.due) }
        let end = min(begin + busyPoll.span, due)
        var now = begin
        repeat {
            if askKernel(timeout: 0) > 0 || isNudged.exchange(false, ordering: .sequentiallyConsistent) { return true }
            let offered = PollLoop.now()
            sched_yield()
            now = PollLoop.now()
            if now - offered > BusyPoll.longestTurn {
                busyPoll.wasCrowded()
                break
            }
        } while now < end
        return now >= due
    }

    /// - Returns: how many of the descriptors have something to tell.
    @discardableResult
    private func askKernel(timeout: CInt) -> CInt {
        while true {
            let count = poll(&items, nfds_t(items.count), timeout)
            if count >= 0 { return count }
            precondition(errno == EINTR, "poll: error \(errno)")
        }
    }

    private func rebuild() {
        items.removeAll(keepingCapacity: true)
        items.append(pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0))
        for loop in loops { loop.pollSet.rebuild(into: &items) }
        isStale = false
    }

    /// Milliseconds for `poll`, rounded up so as not to wake early and spin; -1 for no limit.
    private static func timeout(until due: Instant) -> CInt {
        guard due < .distantFuture else { return -1 }
        return CInt(clamping: (due - PollLoop.now()).wholeMilliseconds)
    }
}

/// The thread-specific value that names the `LoopThread` whose thread this is.
private let currentThreadKey = makeThreadKey()

func makeThreadKey() -> pthread_key_t {
    var key = pthread_key_t()
    precondition(pthread_key_create(&key, nil) == 0, "no thread-specific values left")
    return key
}

typealias ThreadEntry = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?

/// Starts a thread that is given, and owns, a reference to `object`.
func spawnThread(passing object: AnyObject, to entry: ThreadEntry) -> pthread_t {
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, entry, Unmanaged.passRetained(object).toOpaque())
    precondition(code == 0, "cannot start the thread of a loop: \(code)")
    return thread
}

private nonisolated func loopThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<LoopThread>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
