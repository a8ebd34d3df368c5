internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Logging
internal import ServingModel

/// The Swift client of a chaos run: asks its queries by way of `AladdinClient` and writes down what it heard.
@main
struct ChaosClient: AsyncParsableCommand {
    @Option(help: "The broker's frontend endpoint; of several brokers, with a comma between.")
    var endpoint: String

    @Option(help: "File with a key for it.")
    var key: String?

    @Option(help: "The queries, a JSON object a line.")
    var queries: String

    @Option(help: "Where to write what was heard.")
    var log: String

    @Option(help: "CLOCK_MONOTONIC of the run's start, in seconds.")
    var start: Double

    func run() async throws {
        let queries = try ChaosQuery.read(queries)
        let history = try History(path: log)
        var quiet = Logger(label: "chaos")
        quiet.logLevel = .error
        let key = try key.map { try ClientKey(contentsOfFile: $0) }
        let client = AladdinClient(endpoint: endpoint, name: "swift", key: key, logger: quiet)
        await withTaskGroup { group in
            let service = Task { try await client.run() }
            for query in queries {
                try? await Task.sleep(for: .seconds(max(0, start + query.at - CallRecord.now())))
                group.addTask { await ask(query, client, history) }
            }
            await group.waitForAll()
            service.cancel()
            _ = try? await service.value
        }
    }

    /// Asks under the same key until the query has ended.
    private func ask(_ query: ChaosQuery, _ client: AladdinClient, _ history: History) async {
        while true {
            var call = CallRecord(query)
            var end: [String]? = ["OK", "NONE"]
            var isOver = true
            do {
                for try await event in client.generate(query.request) {
                    if let line = call.add(event) { history.write(line) }
                }
            } catch let status as Status {
                end = status.written
                isOver = Self.isEnd(status, accepted: call.isAccepted)
            } catch {
                end = nil
                isOver = false
            }
            history.write(call.object(end: end))
            // A volatile query that was accepted went with its session; its client was told that it might.
            guard !isOver, !(call.isAccepted && query.durability == "volatile") else { return }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Whether a call's end is the end of its query; `Tests/Chaos/judge.py` says the same.
    private static func isEnd(_ status: Status, accepted: Bool) -> Bool {
        let ofTheCall: Set<Reason> = [.shuttingDown, .journalFailed, .sessionExpired, .staleSession, .tooManySessions]
        guard status.written != nil, !ofTheCall.contains(status.reason) else { return false }
        return accepted || [.invalidArgument, .alreadyExists, .notFound].contains(status.code)
    }
}
