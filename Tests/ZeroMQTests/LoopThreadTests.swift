import Glibc
import ServingModel
import Testing
import ZeroMQ

@Suite("Several loops share a thread", .timeLimit(.minutes(2)))
struct LoopThreadTests {
    @Test("their actors run on one thread, each on its own loop only")
    func oneThread() async {
        let thread = LoopThread(name: "shared")
        let (first, second) = (PollLoop(name: "first", on: thread), PollLoop(name: "second", on: thread))
        first.start()
        second.start()
        let (one, other) = (Counter(loop: first), Counter(loop: second))
        await withTaskGroup { group in
            for _ in 0..<32 {
                group.addTask {
                    for _ in 0..<100 {
                        await one.add()
                        await other.add()
                    }
                }
            }
        }
        #expect(await one.count == 3_200)
        #expect(await other.count == 3_200)
        let threads = await one.threads.union(other.threads)
        #expect(threads.count == 1)
        await first.stop()
        await second.stop()
    }

    @Test("one that stops leaves the other at work, and the last one ends the thread")
    func stopOne() async throws {
        let thread = LoopThread(name: "shared")
        let (first, second) = (PollLoop(name: "first", on: thread), PollLoop(name: "second", on: thread))
        first.start()
        second.start()
        let (server, other) = (EchoActor(loop: first), EchoActor(loop: second))
        let endpoint = try await server.bind()
        _ = try await other.bind()
        try exchange(50, with: endpoint, salt: 1)
        await second.stop()
        try exchange(50, with: endpoint, salt: 2)
        #expect(await server.echoed == 100)
        #expect(await other.echoed == 0)
        await first.stop()
        // A loop that starts afterwards has the thread begin anew.
        let third = PollLoop(name: "third", on: thread)
        third.start()
        let counter = Counter(loop: third)
        await counter.add()
        #expect(await counter.count == 1)
        await third.stop()
    }

    @Test("each is stopped by itself, many times over")
    func startAndStop() async {
        let thread = LoopThread(name: "shared")
        for _ in 0..<50 {
            let loops = (0..<3).map { PollLoop(name: "\($0)", on: thread) }
            await withTaskGroup { group in
                for loop in loops {
                    group.addTask {
                        loop.start()
                        let counter = Counter(loop: loop)
                        await counter.add()
                        #expect(await counter.count == 1)
                        await loop.stop()
                        await counter.add()
                        #expect(await counter.count == 2)
                    }
                }
            }
        }
    }

    @Test(
        "messages between actors of one process need no network, on one thread or two, that sleep at once or look on",
        arguments: [true, false],
        [0, 100, 1_000_000]
    )
    func inside(sharing: Bool, busyPollMicroseconds: Int64) async throws {
        let context = Context()
        let busyPoll = Interval(nanoseconds: busyPollMicroseconds * 1000)
        let thread = LoopThread(name: "shared", busyPoll: busyPoll)
        let other = sharing ? thread : LoopThread(name: "other", busyPoll: busyPoll)
        let (first, second) = (PollLoop(name: "first", on: thread), PollLoop(name: "second", on: other))
        first.start()
        second.start()
        let server = EchoActor(loop: first)
        let endpoint = try await server.bind("inproc://echo", context: context)
        let client = InsideClient(loop: second)
        #expect(try await client.exchange(200, with: endpoint, context: context) == 200)
        #expect(await server.echoed == 200)
        await second.stop()
        await first.stop()
        context.terminate()
    }

    @Test("a thread that looks on does what is due, takes jobs of other threads and ends when it is told")
    func lookingOn() async {
        let loop = PollLoop(name: "looking", on: LoopThread(name: "looking", busyPoll: .seconds(1000)))
        loop.start()
        let counter = Counter(loop: loop)
        for _ in 0..<100 { await counter.add() }
        let turns = TurnCounter(loop: loop)
        await turns.wait(for: 20)
        #expect(await counter.count == 100)
        await loop.stop()
    }

    @Test("a task that prefers a loop runs there, and an actor's calls within it too")
    func preferring() async {
        let loop = PollLoop(name: "preferred")
        loop.start()
        let counter = Counter(loop: loop)
        let isThere = await Task(executorPreference: LoopTaskExecutor(loop)) {
            let before = loop.isCurrent
            await counter.add()
            await onPool()
            return before && loop.isCurrent
        }.value
        #expect(isThere)
        #expect(await counter.count == 1)
        await loop.stop()
    }
}

@concurrent
private func onPool() async {}

/// Has its loop's next turn a microsecond away, again and again.
private actor TurnCounter {
    private nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(loop: PollLoop) {
        self.loop = loop
    }

    func wait(for turns: Int) async {
        var left = turns
        let done = LoopSignal()
        loop.onCycle = { now in
            left -= 1
            if left == 0 { done.give() }
            return left > 0 ? now + Interval(nanoseconds: 1000) : .distantFuture
        }
        await done.wait()
    }
}

/// Sends messages one after the other, each when the one before has been echoed.
private actor InsideClient {
    private nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var echoed = 0
    private let done = LoopSignal()
    private var dealer: Socket?

    init(loop: PollLoop) {
        self.loop = loop
    }

    func exchange(_ count: Int, with endpoint: String, context: Context) async throws -> Int {
        try open(endpoint, context, upTo: count)
        _ = dealer?.send([[1], [2]], to: nil)
        await done.wait()
        dealer?.close()
        return echoed
    }

    private func open(_ endpoint: String, _ context: Context, upTo count: Int) throws {
        let dealer = try Socket(.dealer, options: .peer, context: context)
        try dealer.connect(endpoint)
        loop.watch(dealer) { [self] in assumeIsolated { $0.hear(upTo: count) } }
        self.dealer = dealer
    }

    private func hear(upTo count: Int) {
        while dealer?.receive() != nil {
            echoed += 1
            if echoed < count {
                _ = dealer?.send([[1], [2]], to: nil)
            } else {
                done.give()
            }
        }
    }
}
