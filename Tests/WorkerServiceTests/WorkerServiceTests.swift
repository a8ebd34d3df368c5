import EngineInterface
import Logging
import Messages
import ServiceLifecycle
import ServingModel
import Testing
import WorkerService

@Suite("A whole worker", .timeLimit(.minutes(1)))
struct WorkerServiceTests {
    private static func assignment(_ lease: UInt64, maxTokens: Int = 3) -> WireAssignment {
        WireAssignment(
            lease: Lease(rawValue: lease),
            queryID: QueryID(high: 1, low: lease).description,
            attempt: 1,
            remaining: nil,
            request: OpaqueRequest(GenerateRequest(input: .tokens([1, 2, 3]), maxTokens: maxTokens).encode()),
            resumedTokens: []
        )
    }

    /// Progress until a lease has ended.
    private func progress(
        of lease: UInt64,
        in reports: inout AsyncStream<WorkerReport>.Iterator
    ) async -> [LeaseProgress] {
        var progress: [LeaseProgress] = []
        while progress.ends(of: lease) == 0, let report = await reports.next() {
            if case .step(let step) = report { progress += step.progress }
        }
        return progress
    }

    @Test("It registers, grants, serves, starts over with a new session, and drains when it is to stop")
    func lives() async throws {
        let broker = ScriptedBroker()
        var configuration = WorkerServiceConfiguration(name: "w")
        configuration.brokerEndpoint = try await broker.open()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let worker = WorkerService(configuration: configuration, logger: logger) { ScriptedEngine() }
        let group = ServiceGroup(configuration: .init(services: [.init(service: worker)], logger: logger))
        let running = Task { try await group.run() }
        var reports = broker.reports.makeAsyncIterator()

        for session: UInt64 in 1...2 {
            // What the old session still said may come first.
            var report = await reports.next()
            while session > 1, case .some = report {
                if case .registration? = report { break }
                report = await reports.next()
            }
            guard case .registration(let registration)? = report else {
                Issue.record("a worker registers first")
                return
            }
            #expect(registration.name == "w" && registration.profile.model == "m" && registration.resumesPrefix)
            await broker.command(.registered(worker: WorkerID(rawValue: session)))
            #expect(await reports.next() == .pull(granted: 8))
            let lease = session * 10
            await broker.command(.batch([Self.assignment(lease)]))
            let progress = await progress(of: lease, in: &reports)
            #expect(progress.tokens(of: lease)?.count == 3)
            #expect(progress.last?.finished?.inputTokens == 3)
            if session == 1 {
                // What it still runs is forgotten with the session.
                await broker.command(.batch([Self.assignment(11, maxTokens: 1000)]))
                await broker.dismiss()
            }
        }
        await broker.command(.batch([Self.assignment(30, maxTokens: 400)]))
        var hasBegun = false
        while !hasBegun, let report = await reports.next() {
            if case .step(let step) = report { hasBegun = !step.progress.isEmpty }
        }
        await group.triggerGracefulShutdown()
        let rest = await progress(of: 30, in: &reports)
        #expect(rest.last?.finished?.outputTokens == 400)
        try await running.value
        await broker.stop()
    }
}

@Suite("What a worker asks of an engine's description")
struct EngineDescriptionTests {
    @Test("A description that cannot be used ends the worker with words, before it says hello")
    func refuses() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let worker = WorkerService(configuration: WorkerServiceConfiguration(name: "w"), logger: logger) {
            ScriptedEngine(kvTokens: 0, maximumSequences: 0)
        }
        let error = await #expect(throws: Status.self) { try await worker.run() }
        let message = try #require(error).message
        #expect(
            message.contains("kv.capacity_tokens is 0") && message.contains("limits.max_sequences is 0"),
            "\(message)"
        )
    }

    @Test("A capacity says all that batching needs")
    func capacity() throws {
        let capacity = EngineCapacity(kvTokens: 640, blockTokens: 8, maximumSequences: 3, chunkTokens: 32)
        let description = EngineDescription(model: "m", contextLength: 64, capacity: capacity)
        try description.validate()
        let limits = description.profile.limits
        #expect(description.profile.kvCache.capacityTokens == 640 && description.profile.kvCache.blockTokens == 8)
        #expect(limits.maximumSequences == 3 && limits.chunkTokens == 32 && limits.maximumBatchedTokens == 32)
        var wrong = description
        (wrong.model, wrong.contextLength) = ("", 0)
        let error = #expect(throws: Status.self) { try wrong.validate() }
        #expect(try #require(error).message.contains("contextLength is 0"))
    }
}
