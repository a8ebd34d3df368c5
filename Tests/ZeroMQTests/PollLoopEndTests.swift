import Glibc
import ServingModel
import Testing
import ZeroMQ

@Suite("Poll loops end in order", .timeLimit(.minutes(2)))
struct PollLoopEndTests {
    @Test("stopping is clean with peers connected: the farewell arrives, then they are cut off")
    func openPeers() async throws {
        let context = Context()
        let loop = PollLoop(name: "peers")
        loop.start()
        let server = EchoActor(loop: loop)
        let endpoint = try await server.bind(context: context)
        await server.sayGoodbyeOnStop()

        let peers = try await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await onOtherThread { try farewell(from: endpoint) } } }
            // Each has been answered once before the loop stops.
            #expect(await server.waitForPeers(8))
            await loop.stop()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(peers == Array(repeating: [UInt8]("goodbye"), count: 8))
        context.terminate()
    }

    @Test("stopping twice, and from several tasks, waits for the same end")
    func stopTwice() async throws {
        let loop = PollLoop(name: "twice")
        loop.start()
        let server = EchoActor(loop: loop)
        _ = try await server.bind()
        let ends = Counter(loop: PollLoop(name: "ends"))
        ends.loop.start()
        await server.onLoop { loop in
            loop.onStop = { Task { await ends.add() } }
        }
        await withTaskGroup { group in
            for _ in 0..<16 { group.addTask { await loop.stop() } }
        }
        await loop.stop()
        loop.start()
        await ends.add()
        // The hook's and this one, in whichever order.
        while await ends.count < 2 {
            try Task.checkCancellation()
            await Task.yield()
        }
        #expect(await ends.count == 2)
        await ends.loop.stop()
    }

    @Test("an endpoint is free again after the loop has stopped")
    func endpointIsFree() async throws {
        var endpoint = ownAddress()
        for _ in 0..<5 {
            let loop = PollLoop(name: "again")
            loop.start()
            let context = Context()
            let server = EchoActor(loop: loop)
            endpoint = try await Self.bind(server, endpoint, context)
            try exchange(3, with: endpoint, salt: 0)
            await loop.stop()
            // The listener itself goes in the background; the end of the context waits for it.
            context.terminate()
        }
    }

    /// A child of this process that is between fork and exec has the closed listener, too, for a moment.
    private static func bind(_ server: EchoActor, _ endpoint: String, _ context: Context) async throws -> String {
        while true {
            do {
                return try await server.bind(endpoint, context: context)
            } catch let error as ZeroMQError where error.code == EADDRINUSE {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    @Test("an actor on the loop may stop it, and goes on afterwards")
    func stopFromWithin() async throws {
        let loop = PollLoop(name: "within")
        loop.start()
        let server = EchoActor(loop: loop)
        try exchange(7, with: try await server.bind(), salt: 0)
        #expect(await server.stopLoop() == 7)
    }

    @Test("calls after the end are still answered, one at a time")
    func lateCalls() async {
        let loop = PollLoop(name: "late")
        loop.start()
        let counter = Counter(loop: loop)
        await counter.add()
        await loop.stop()
        await withTaskGroup { group in
            for _ in 0..<64 {
                group.addTask {
                    for _ in 0..<50 { await counter.add() }
                }
            }
        }
        #expect(await counter.count == 3_201)
    }

    @Test("a loop that never started can be stopped, and answers its callers then")
    func neverStarted() async {
        let loop = PollLoop(name: "never")
        let counter = Counter(loop: loop)
        async let call: Void = counter.add()
        await loop.stop()
        await call
        #expect(await counter.count == 1)
        loop.start()
        await counter.add()
        #expect(await counter.count == 2)
    }

    @Test("calls that race with the end are all answered")
    func callsDuringTheEnd() async {
        for _ in 0..<50 {
            let loop = PollLoop(name: "race")
            loop.start()
            let counter = Counter(loop: loop)
            await withTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<20 { await counter.add() }
                    }
                }
                group.addTask { await loop.stop() }
            }
            #expect(await counter.count == 160)
        }
    }

    @Test("ending the context closes the sockets of a loop, which goes on serving its actor")
    func contextEndsFirst() async throws {
        let context = Context()
        let loop = PollLoop(name: "context")
        loop.start()
        let server = EchoActor(loop: loop)
        try exchange(3, with: try await server.bind(context: context), salt: 0)
        context.terminate()
        #expect(await server.isClosed)
        await loop.stop()
    }

    @Test("neither a stopped loop nor one that never started is kept alive")
    func released() async {
        weak var stopped: PollLoop?
        weak var neverStarted: PollLoop?
        do {
            let first = PollLoop(name: "first")
            first.start()
            let counter = Counter(loop: first)
            await counter.add()
            await first.stop()
            stopped = first
            let second = PollLoop(name: "second")
            neverStarted = second
        }
        #expect(becomesTrue { stopped == nil && neverStarted == nil })
    }
}

/// Says hello to an echo server, waits for the answer, and returns what comes next.
private func farewell(from endpoint: String) throws -> [UInt8] {
    // With `immediate`, what has arrived but was not read yet goes down with the connection.
    var options = SocketOptions.peer
    options.immediate = false
    let dealer = try Socket(.dealer, options: options)
    defer { dealer.close() }
    try dealer.connect(endpoint)
    dealer.sendWaiting([[1]])
    _ = try dealer.next()
    return try #require(try dealer.next().frames.first)
}
