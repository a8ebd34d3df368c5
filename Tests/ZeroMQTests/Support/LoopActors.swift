import Glibc
import ServingModel
import Testing
import ZeroMQ

/// Counts calls and the threads they ran on.
actor Counter {
    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private(set) var count = 0
    private(set) var threads: Set<pthread_t> = []

    init(loop: PollLoop) {
        self.loop = loop
    }

    func add() {
        loop.checkIsolated()
        count += 1
        threads.insert(pthread_self())
    }
}

/// Notes the times of a loop's cycles.
actor Ticker {
    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private var times: [Instant] = []
    private let end = LoopSignal()

    init(loop: PollLoop) {
        self.loop = loop
    }

    /// Lets the loop run `count` cycles `interval` apart.
    func tick(_ count: Int, every interval: Interval) async -> [Instant] {
        loop.onCycle = { [self] now in
            self.assumeIsolated { ticker in
                ticker.times.append(now)
                guard ticker.times.count == count else { return now + interval }
                ticker.loop.onCycle = nil
                ticker.end.give()
                return .distantFuture
            }
        }
        await end.wait()
        return times
    }
}

/// Notes what a loop does in which order.
actor Recorder {
    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private var log: [String] = []
    private var receivers: [String: Socket] = [:]
    private var senders: [String: Socket] = [:]
    private let end = LoopSignal()

    init(loop: PollLoop) {
        self.loop = loop
    }

    /// Enqueues `count` jobs, then waits for them.
    func addInOrder(_ count: Int) async -> [String] {
        let jobs = (0..<count).map { number in Task { self.log.append("\(number)") } }
        for job in jobs { await job.value }
        return log
    }

    /// What happens in a cycle that starts with a job and a readable socket.
    func recordOneCycle() async throws -> [String] {
        try makePair("socket")
        watch("socket") { $0.readSocket() }
        loop.onCycle = { [self] _ in
            self.assumeIsolated { $0.endCycle() }
        }
        // Runs in the next cycle, which then finds the message as well.
        Task { self.log.append("job") }
        senders["socket"]?.sendWaiting([[1]])
        await end.wait()
        return log
    }

    private func readSocket() {
        log.append("socket")
        _ = receivers["socket"]?.receive()
    }

    private func endCycle() -> Instant {
        if log.contains("socket"), !log.contains("end") {
            log.append("end")
            end.give()
        }
        return .distantFuture
    }

    /// The first handler unwatches the second, whose socket is readable too, closes its own and watches a third.
    func changeWatches() async throws -> [String] {
        for name in ["first", "second", "third"] { try makePair(name) }
        watch("first") { $0.change() }
        watch("second") { $0.log.append("second") }
        for sender in senders.values { sender.sendWaiting([[1]]) }
        await end.wait()
        return log
    }

    private func change() {
        log.append("first")
        if let second = receivers["second"] { loop.unwatch(second) }
        receivers["first"]?.close()
        watch("third") { $0.readThird() }
    }

    private func readThird() {
        log.append("third")
        // Left unread once: it must be called again.
        guard log.count == 3 else { return }
        _ = receivers["third"]?.receive()
        end.give()
    }

    private func watch(_ name: String, handler: @escaping @Sendable (isolated Recorder) -> Void) {
        guard let receiver = receivers[name] else { return }
        loop.watch(receiver) { [self] in
            self.assumeIsolated { handler($0) }
        }
    }

    private func makePair(_ name: String) throws {
        let receiver = try Socket(.pair, options: .broker)
        let sender = try Socket(.pair, options: .broker)
        let endpoint = "inproc://\(name)-\(UInt64.random(in: .min ... .max))"
        try receiver.bind(endpoint)
        try sender.connect(endpoint)
        receivers[name] = receiver
        senders[name] = sender
    }
}
