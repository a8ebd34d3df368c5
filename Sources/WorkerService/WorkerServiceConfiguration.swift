package import ServingModel
package import ZeroMQ

/// How a worker serves.
package struct WorkerServiceConfiguration: Sendable {
    /// Shown in tables and to clients.
    package var name: String
    package var brokerEndpoint = "tcp://127.0.0.1:5551"
    /// For a broker that wants to know who comes.
    package var keys: PeerKeys?
    package var batching = BatchingMode.chunked
    /// The phase of queries that it is for.
    package var role = WorkerRole.both
    /// Where it leaves KV caches for other workers and takes theirs, if its engine can do that; nil for nowhere.
    package var exchange: KVExchange?
    /// Bytes of KV caches that it leaves lying ready at once; with more it goes on with queries itself.
    package var exchangeBytes = 1 << 30
    /// How long a shutdown waits for running queries; what is left then is run elsewhere.
    package var drainTime = Interval.seconds(10)
    /// What to do when a shutdown has waited five seconds more for an engine that does not come back from its step.
    package var hangingEngine = HangingEngine.awaited

    /// Nothing can take a thread back from an engine that hangs.
    package enum HangingEngine: Sendable {
        /// The shutdown waits on.
        case awaited
        /// The worker ends without it, and its thread stays: for a process that ends soon, but has more to bring to an end.
        case leftBehind
        /// Calls this, which had better end the process.
        case ends(@Sendable () -> Void)
    }

    /// Shared with other roles of this process; nil for a thread of its own.
    ///
    /// Engines have threads of their own anyway.
    package var thread: LoopThread?
    /// For how long an engine's thread looks for a next step before it sleeps.
    package var engineBusyPoll = Interval.zero

    package init(name: String) {
        self.name = name
    }
}
