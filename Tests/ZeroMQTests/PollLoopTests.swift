import Glibc
import ServingModel
import Synchronization
import Testing
import ZeroMQ

@Suite("Poll loops run actors and sockets on one thread", .timeLimit(.minutes(2)))
struct PollLoopTests {
    @Test("many tasks call an actor on the loop, which runs on one thread that is not theirs")
    func concurrentCallers() async {
        let loop = PollLoop(name: "callers")
        loop.start()
        loop.start()
        let counter = Counter(loop: loop)
        await withTaskGroup { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<200 { await counter.add() }
                }
            }
        }
        #expect(await counter.count == 12_800)
        #expect(await counter.threads.count == 1)
        #expect(!loop.isCurrent)
        #expect(loop.isIsolatingCurrentContext() == false)
        await loop.stop()
    }

    @Test("jobs wait for the start, and run in the order in which they were enqueued")
    func order() async {
        let loop = PollLoop(name: "order")
        let recorder = Recorder(loop: loop)
        async let log = recorder.addInOrder(100)
        loop.start()
        #expect(await log == (0..<100).map { "\($0)" })
        await loop.stop()
    }

    @Test("a handler enters its actor, and echoes what many clients send")
    func echo() async throws {
        let loop = PollLoop(name: "echo")
        loop.start()
        let server = EchoActor(loop: loop)
        let endpoint = try await server.bind()
        try await withThrowingTaskGroup { group in
            for client in 0..<8 {
                group.addTask { try await onOtherThread { try exchange(500, with: endpoint, salt: client) } }
            }
            try await group.waitForAll()
        }
        #expect(await server.echoed == 4_000)
        #expect(await server.unsent == 0)
        await loop.stop()
    }

    @Test("a handler that takes one message per call is called until none is left")
    func levelTriggered() async throws {
        let loop = PollLoop(name: "level")
        loop.start()
        let server = EchoActor(loop: loop)
        try exchange(500, with: try await server.bind(budget: 1), salt: 0, atOnce: true)
        #expect(await server.echoed == 500)
        await loop.stop()
    }

    @Test("with nothing to do the loop sleeps")
    func idle() async throws {
        let idle = PollLoop(name: "idle")
        idle.start()
        let server = EchoActor(loop: idle)
        _ = try await server.bind()
        let before = await server.onLoop { $0.cycles }

        // Something that takes a while and leaves the idle loop alone.
        let busy = PollLoop(name: "busy")
        busy.start()
        let other = EchoActor(loop: busy)
        try exchange(500, with: try await other.bind(), salt: 0)
        await busy.stop()

        // One more for each call, and one for a socket that has just been watched.
        #expect(await server.onLoop { $0.cycles } - before <= 3)
        await idle.stop()
    }

    @Test("signals interrupt nothing but the sleep")
    func signals() async throws {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = countSignal
        sigaction(SIGUSR2, &action, nil)

        let loop = PollLoop(name: "signals")
        loop.start()
        let server = EchoActor(loop: loop)
        let endpoint = try await server.bind()
        let thread = await server.threadTaking(SIGUSR2)
        let before = signalsCaught.load(ordering: .relaxed)
        isPestOver.store(false, ordering: .releasing)
        let pest = OtherThread {
            while !isPestOver.load(ordering: .acquiring) {
                pthread_kill(thread, SIGUSR2)
                sched_yield()
            }
        }
        defer { isPestOver.store(true, ordering: .releasing) }
        try exchange(1_000, with: endpoint, salt: 0)
        #expect(becomesTrue { signalsCaught.load(ordering: .relaxed) >= before + 100 })
        isPestOver.store(true, ordering: .releasing)
        try await pest.value
        #expect(await server.echoed == 1_000)
        await loop.stop()
    }

    @Test("the cycle's end comes after jobs and sockets, at the time it asked for and not before")
    func cycleEnd() async {
        let loop = PollLoop(name: "cycle")
        loop.start()
        let ticker = Ticker(loop: loop)
        let times = await ticker.tick(20, every: .milliseconds(2))
        #expect(times.count == 20)
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect(later - earlier >= .milliseconds(2))
        }
        await loop.stop()
    }

    @Test("within a cycle: jobs, then sockets, then its end")
    func orderWithinCycle() async throws {
        let loop = PollLoop(name: "order")
        loop.start()
        let recorder = Recorder(loop: loop)
        #expect(try await recorder.recordOneCycle() == ["job", "socket", "end"])
        await loop.stop()
    }

    @Test("handlers and jobs may watch, unwatch and close sockets")
    func changesWhileRunning() async throws {
        let loop = PollLoop(name: "changes")
        loop.start()
        let recorder = Recorder(loop: loop)
        #expect(try await recorder.changeWatches() == ["first", "third", "third"])
        await loop.stop()
    }

    @Test("watching on another thread than the loop's stops the process")
    func misuse() async {
        let watching = await #expect(processExitsWith: .failure) {
            let loop = PollLoop(name: "misuse")
            loop.start()
            loop.watch(try Socket(.dealer, options: .peer)) {}
        }
        #expect(watching?.isTrap == true)
        let assuming = await #expect(processExitsWith: .failure) {
            let loop = PollLoop(name: "misuse")
            loop.start()
            let server = EchoActor(loop: loop)
            assume(server)
        }
        #expect(assuming?.isTrap == true)
        let hooking = await #expect(processExitsWith: .failure) {
            PollLoop(name: "misuse").onCycle = { _ in .distantFuture }
        }
        #expect(hooking?.isTrap == true)
    }
}

private func assume(_ server: EchoActor) {
    server.assumeIsolated { _ in }
}

private let signalsCaught = Atomic(0)
private let isPestOver = Atomic(false)

private nonisolated func countSignal(_ signal: Int32) {
    signalsCaught.add(1, ordering: .relaxed)
}

/// Sends `count` messages to an echo server and checks what comes back.
func exchange(_ count: Int, with endpoint: String, salt: Int, atOnce: Bool = false) throws {
    let dealer = try Socket(.dealer, options: .peer)
    defer { dealer.close() }
    try dealer.connect(endpoint)
    let messages = (0..<count).map { [[UInt8](numbered: salt << 20 | $0, count: 48), [UInt8(truncatingIfNeeded: $0)]] }
    if atOnce {
        for message in messages { dealer.sendWaiting(message) }
        for message in messages { #expect(try dealer.next().frames == message) }
    } else {
        for message in messages {
            dealer.sendWaiting(message)
            #expect(try dealer.next().frames == message)
        }
    }
}
