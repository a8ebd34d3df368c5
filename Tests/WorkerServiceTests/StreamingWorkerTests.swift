import EngineInterface
import Logging
import Messages
import ServiceLifecycle
import ServingModel
import Synchronization
import Testing
import WorkerService

/// A streaming engine of which a test says what it is and what it answers.
private final class ScriptedStreams: StreamingEngine {
    private let conditions: AsyncStream<EngineCondition>
    let tell: AsyncStream<EngineCondition>.Continuation
    /// Prompt lengths of queries that nobody wants any more.
    let cancelled = Mutex<[Int]>([])

    init() {
        (conditions, tell) = AsyncStream.makeStream()
    }

    static func description(_ model: String) -> EngineDescription {
        var profile = LatencyProfile(model: model, device: "d")
        profile.kvCache.capacityTokens = 1000
        profile.limits.maximumSequences = 4
        return EngineDescription(
            model: model,
            kind: "upstream",
            contextLength: 500,
            resumesPrefix: false,
            profile: profile
        )
    }

    func watch(_ report: @escaping @Sendable (EngineCondition) -> Void) async {
        for await condition in conditions { report(condition) }
    }

    /// Prompts of more than ten tokens get one and no end.
    func answer(
        _ request: SequenceRequest,
        _ output: @escaping @Sendable (StreamedTokens) -> Void
    ) async throws(Status) -> StreamedEnd {
        guard case .tokens(let prompt) = request.input else { throw Status(.invalidArgument) }
        output(StreamedTokens(count: 1, text: "a"))
        if prompt.count > 10 {
            let (forever, _) = AsyncStream.makeStream(of: Void.self)
            for await _ in forever {}
            cancelled.withLock { $0.append(prompt.count) }
            throw Status(.cancelled)
        }
        output(StreamedTokens(count: request.maxTokens - 1, text: "b"))
        return StreamedEnd(finish: .length, prompt: PromptCount(tokens: prompt.count))
    }
}

@Suite("A worker over an engine that batches for itself", .timeLimit(.minutes(1)))
struct StreamingWorkerTests {
    private static func assignment(_ lease: UInt64, prompt: Int = 3) -> WireAssignment {
        WireAssignment(
            lease: Lease(rawValue: lease),
            queryID: QueryID(high: 1, low: lease).description,
            attempt: 1,
            remaining: nil,
            request: OpaqueRequest(
                GenerateRequest(input: .tokens([Int32](repeating: 1, count: prompt)), maxTokens: 3).encode()
            ),
            resumedTokens: []
        )
    }

    private func next(
        _ reports: inout AsyncStream<WorkerReport>.Iterator,
        _ what: String,
        where isIt: (WorkerReport) -> Bool
    ) async throws -> WorkerReport {
        while let report = await reports.next() {
            if isIt(report) { return report }
        }
        throw Status(.unknown, .none, "no \(what)")
    }

    private func registration(_ reports: inout AsyncStream<WorkerReport>.Iterator) async throws -> WorkerRegistration? {
        let report = try await next(&reports, "registration") { if case .registration = $0 { true } else { false } }
        if case .registration(let registration) = report { return registration }
        return nil
    }

    /// Progress of a lease until its end, and whether the worker had asked to drain before it.
    private func end(
        of lease: UInt64,
        _ reports: inout AsyncStream<WorkerReport>.Iterator
    ) async -> (progress: [LeaseProgress], isAfterDrain: Bool) {
        var progress: [LeaseProgress] = []
        var isAfterDrain = false
        while progress.ends(of: lease) == 0, let report = await reports.next() {
            if case .drain = report { isAfterDrain = true }
            if case .step(let step) = report { progress += step.progress }
        }
        return (progress, isAfterDrain)
    }

    @Test(
        "It registers what there is, gives back what was lost after it has asked for nothing new, and comes back as another"
    )
    func lives() async throws {
        let broker = ScriptedBroker()
        var configuration = WorkerServiceConfiguration(name: "w")
        configuration.brokerEndpoint = try await broker.open()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = ScriptedStreams()
        let worker = WorkerService(configuration: configuration, logger: logger, engine: engine)
        let group = ServiceGroup(configuration: .init(services: [.init(service: worker)], logger: logger))
        let running = Task { try await group.run() }
        var reports = broker.reports.makeAsyncIterator()

        for (session, model): (UInt64, String) in [(1, "first"), (2, "second")] {
            engine.tell.yield(.ready(ScriptedStreams.description(model)))
            let registered = try await registration(&reports)
            #expect(registered?.profile.model == model && registered?.engine == "upstream")
            await broker.command(.registered(worker: WorkerID(rawValue: session)))
            _ = try await next(&reports, "grant") { $0 == .pull(granted: 5) }
            let lease = session * 10
            await broker.command(.batch([Self.assignment(lease), Self.assignment(lease + 1, prompt: 11)]))
            let served = await end(of: lease, &reports)
            #expect(served.progress.last { $0.lease.rawValue == lease }?.finished?.outputTokens == 3)
            if session == 1 {
                engine.tell.yield(.unavailable(Status(.unavailable, .engineFailed, "gone")))
                let lost = await end(of: lease + 1, &reports)
                #expect(lost.isAfterDrain)
                #expect(lost.progress.failure(of: lease + 1)?.reason == .engineFailed)
                // What was on its way comes straight back.
                await broker.command(.batch([Self.assignment(15)]))
                #expect(await end(of: 15, &reports).progress.failure(of: 15)?.code == .unavailable)
            } else {
                await broker.command(.cancel([Lease(rawValue: lease + 1)]))
            }
        }
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(engine.cancelled.withLock { $0 } == [11, 11])
        await broker.stop()
    }
}
