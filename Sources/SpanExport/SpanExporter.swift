package import Logging
internal import ServiceLifecycle
package import ServingModel
internal import ZeroMQ

/// Takes spans to a file or a collector, in batches, and keeps nobody waiting.
///
/// `record` may be called from any thread at any time. Call `run()` in a task of your own, before whoever records starts
/// and until after it has stopped: after a graceful shutdown it tries once to export what still waits.
package actor SpanExporter: Service {
    private nonisolated let loop = PollLoop(name: "spans")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    package struct Settings: Sendable {
        package var batch = 512
        /// The longest time that spans wait for others of their batch.
        package var interval = Interval.seconds(1)
        /// How often a batch is tried where that may help, after pauses that double.
        package var tries = 5
        package var firstPause = Interval.seconds(1)
        /// For a collector's answer, and at the end of the process.
        package var patience = Interval.seconds(10)
        package var lastPatience = Interval.seconds(2)
        package var capacity = 16_384

        package init() {}
    }

    private nonisolated let queue: SpanQueue
    private let destination: SpanDestination
    private let settings: Settings
    private let instance: String
    private let logger: Logger
    private var isFailing = false
    private var toldDrops = 0

    /// - Parameter instance: tells this process from others of the service.
    package init(
        to destination: SpanDestination,
        settings: Settings = Settings(),
        instance: String,
        logger: Logger
    ) {
        self.destination = destination
        self.settings = settings
        self.instance = instance
        self.logger = logger
        queue = SpanQueue(capacity: settings.capacity)
    }

    package nonisolated var counts: SpanCounts { queue.counts }

    /// Exports spans some time soon, or drops them if too many wait.
    package nonisolated func record(_ spans: [Span]) {
        queue.add(spans)
    }

    package nonisolated func run() async throws {
        loop.start()
        destination.start()
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .nanoseconds(self.settings.interval.nanoseconds))
                await self.export(tries: self.settings.tries)
            }
        }
        await export(tries: 1)
        await destination.stop()
        await loop.stop()
    }

    /// All that waits, as long as it is taken; what comes meanwhile may wait for the next time.
    ///
    /// - Parameter tries: 1 for the last time of all, when what is not taken is lost.
    private func export(tries: Int) async {
        tellDrops()
        while !Task.isCancelled {
            let batch = queue.take(atMost: settings.batch)
            guard !batch.isEmpty else { return }
            let isTaken = await export(batch, tries: tries)
            guard !isTaken, tries == 1 else { continue }
            queue.note(failed: queue.take(atMost: .max).count)
        }
    }

    private func export(_ batch: [Span], tries: Int) async -> Bool {
        let document = SpanDocument.json(batch, instance: instance)
        var pause = settings.firstPause
        var attempt = 1
        while true {
            do {
                try await destination.send(document, within: tries > 1 ? settings.patience : settings.lastPatience)
                queue.note(exported: batch.count)
                if isFailing { logger.notice("spans are exported again") }
                isFailing = false
                return true
            } catch {
                // Shutdown cuts a batch short; it has one more chance.
                guard !Task.isCancelled else {
                    queue.putBack(batch)
                    return false
                }
                if !isFailing { logger.warning("spans are not exported", metadata: ["error": "\(error)"]) }
                isFailing = true
                guard error.isTransient, attempt < tries else {
                    queue.note(failed: batch.count)
                    return false
                }
                attempt += 1
                try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
                pause = Interval(nanoseconds: pause.nanoseconds * 2)
            }
        }
    }

    private func tellDrops() {
        let drops = queue.counts.dropped
        guard drops > toldDrops else { return }
        logger.warning("spans were dropped: too many waited", metadata: ["spans": "\(drops - toldDrops)"])
        toldDrops = drops
    }
}
