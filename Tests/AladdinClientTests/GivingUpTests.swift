internal import Foundation
internal import Logging
internal import Messages
internal import ServingModel
internal import Testing

@testable internal import AladdinClient

@Suite("Queries that a client gives up", .timeLimit(.minutes(1)))
struct GivingUpTests {
    /// Where brokers are, one after the other; a socket that was closed keeps its address for a moment.
    private let addresses: [String] = {
        let base = "ipc:///tmp/aladdin-client-\(UInt64.random(in: .min ... .max))"
        return ["\(base)-1", "\(base)-2"]
    }()

    /// A client, while `body` runs.
    private func withClient(_ body: (AladdinClient) async throws -> Void) async throws {
        let client = AladdinClient(
            endpoint: addresses.joined(separator: ","),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let running = Task { try await client.run() }
        do {
            try await body(client)
        } catch {
            Issue.record(error)
        }
        running.cancel()
        _ = try? await running.value
    }

    private let request = QueryRequest(input: .text("x"), maxTokens: 1, metadata: [("idempotency-key", "mine")])

    @Test("A cancellation that a broker took to its grave is said to the next one", arguments: [true, false])
    func toTheNextBroker(isAccepted: Bool) async throws {
        let first = ScriptedBroker(addresses[0], session: 7)
        try await first.open()
        try await withClient { client in
            let (news, sink) = AsyncStream.makeStream(of: QueryNews.self)
            var told = news.makeAsyncIterator()
            let giveUp = client.generate(request) { sink.yield($0) }
            var heard = first.heard.makeAsyncIterator()
            #expect(await heard.next() == .generate(key: "mine", stream: 1))
            if isAccepted {
                await first.accept("q-1", on: 1)
                _ = await told.next()
            }
            giveUp()
            #expect(await heard.next() == .cancel(stream: 1))
            // It dies before it has said a word about it.
            await first.stop()
            let second = ScriptedBroker(addresses[1], session: 8)
            try await second.open()
            heard = second.heard.makeAsyncIterator()
            if isAccepted {
                #expect(await heard.next() == .attach(id: "q-1", stream: 1))
                #expect(await heard.next() == .cancelQuery(id: "q-1"))
                await second.end(1, of: .attach, Status(.cancelled, .cancelledByClient, "cancelled"))
            } else {
                #expect(await heard.next() == .generate(key: "mine", stream: 1))
                #expect(await heard.next() == .cancel(stream: 1))
                await second.end(1, of: .generate, Status(.cancelled, .cancelledByClient, "cancelled"))
            }
            while await client.openQueries > 0 {
                try Task.checkCancellation()
                await Task.yield()
            }
            sink.finish()
            // Who has given up hears nothing more.
            #expect(await told.next() == nil)
            await second.stop()
        }
    }

    @Test("What no broker has heard of is given up without a word")
    func unsent() async throws {
        try await withClient { client in
            let giveUp = client.generate(request) { _ in Issue.record("something was told") }
            giveUp()
            let broker = ScriptedBroker(addresses[0], session: 7)
            try await broker.open()
            var heard = broker.heard.makeAsyncIterator()
            var other = request
            other.metadata = [("idempotency-key", "other")]
            let giveOtherUp = client.generate(other) { _ in }
            #expect(await heard.next() == .generate(key: "other", stream: 1))
            giveOtherUp()
            #expect(await heard.next() == .cancel(stream: 1))
            await broker.stop()
        }
    }
}
