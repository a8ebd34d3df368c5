import Glibc
import ServingModel
import Testing
import ZeroMQ

/// An actor on a loop that sends back whatever its router receives.
actor EchoActor {
    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private(set) var echoed = 0
    private(set) var unsent = 0
    private var router: Socket?
    private var peers: Set<RoutingID> = []

    init(loop: PollLoop) {
        self.loop = loop
    }

    /// Binds and watches; each call of the handler takes at most `budget` messages.
    func bind(
        _ endpoint: String = "tcp://127.0.0.1:*",
        budget: Int = 256,
        context: Context = .shared
    ) throws -> String {
        var options = SocketOptions.broker
        options.linger = bound
        let router = try Socket(.router, options: options, context: context)
        let resolved = try router.bind(endpoint)
        loop.watch(router) { [self] in
            self.assumeIsolated { $0.echo(budget: budget) }
        }
        self.router = router
        return resolved
    }

    private func echo(budget: Int) {
        guard let router else { return }
        for _ in 0..<budget {
            guard let message = router.receive() else { return }
            if let peer = message.from { peers.insert(peer) }
            if router.send(message.frames, to: message.from) == .sent { echoed += 1 } else { unsent += 1 }
        }
    }

    /// What `body` returns, run on the loop's thread.
    func onLoop<Value: Sendable>(_ body: @Sendable (PollLoop) throws -> Value) rethrows -> Value {
        try body(loop)
    }

    /// Has the loop send a farewell to all peers when it stops.
    func sayGoodbyeOnStop() {
        loop.onStop = { [self] in
            self.assumeIsolated { server in
                for peer in server.peers { server.router?.sendWaiting([[UInt8]("goodbye")], to: peer) }
            }
        }
    }

    /// Waits until so many peers have been heard; the cycle's end looks again and again.
    func waitForPeers(_ count: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            let end = PollLoop.now() + bound
            loop.onCycle = { [self] now in
                self.assumeIsolated { server in
                    guard server.peers.count == count || now > end else { return now + .milliseconds(1) }
                    server.loop.onCycle = nil
                    continuation.resume(returning: server.peers.count == count)
                    return .distantFuture
                }
            }
        }
    }

    var isClosed: Bool { router?.isClosed ?? true }

    /// The loop's thread, once it takes `signal`; threads of tasks, one of which started it, block most signals.
    func threadTaking(_ signal: Int32) -> pthread_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, signal)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        return pthread_self()
    }

    func stopLoop() async -> Int {
        await loop.stop()
        return echoed
    }
}
