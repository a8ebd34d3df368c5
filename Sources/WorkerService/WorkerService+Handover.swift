internal import Logging
internal import ServingModel

/// KV caches that this worker leaves for others.
extension WorkerService {
    /// Tells of KV caches that lie ready, and cleans up after those that were taken or that nobody wants.
    ///
    /// - Returns: when to do it again.
    func driveHandovers(at now: Instant) -> Instant {
        guard let exchange = configuration.exchange, machine != nil else { return .distantFuture }
        let nextReady = machine?.noteHandovers(at: now) ?? .distantFuture
        if now >= nextTidying {
            machine?.desk.tidy(at: now) { exchange.contains($0) }
            nextTidying = now + Self.tidyingInterval
        }
        for name in machine?.desk.takeDiscarded() ?? [] { exchange.remove(name) }
        if now >= nextSweep {
            nextSweep = now + Self.sweepInterval
            let count = exchange.sweep()
            if count > 0 { logger.info("removed KV caches that were left behind", metadata: ["count": "\(count)"]) }
        }
        if machine?.hasNews == true { report(computed: nil) }
        return min(nextReady, machine?.desk.isEmpty == true ? nextSweep : nextTidying)
    }

    private static let tidyingInterval = Interval.milliseconds(200)
    private static let sweepInterval = Interval.seconds(30)

    /// Removes what was left for others and not taken: this worker ends, and answers for it no more.
    func clearExchange() {
        machine?.reset()
        guard let exchange = configuration.exchange else { return }
        for name in machine?.desk.takeDiscarded() ?? [] { exchange.remove(name) }
    }
}
