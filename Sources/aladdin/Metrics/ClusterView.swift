internal import GatewayService
internal import Messages
internal import ServingModel
internal import SpanExport
internal import Telemetry

/// The cluster as a gateway shows it: one service, or all of its shards side by side.
struct ClusterView: Sendable {
    private let shards: [(name: String, source: ClusterStatusSource)]
    private let isSharded: Bool

    init(_ source: ClusterStatusSource) {
        shards = [("", source)]
        isSharded = false
    }

    /// - Parameter shards: at least one.
    init(shards: [(name: String, source: ClusterStatusSource)]) {
        self.shards = shards
        isSharded = true
    }

    /// Families of metrics, with a label `shard` where there are several; of a broker that did not answer, only that.
    func metrics() async -> String {
        let parts = await ask { try? await $0.status(wantsMetrics: true) }
        let texts = parts.map { (label: $0.shard, text: ClusterMetrics.exposition(of: $0.answer)) }
        return isSharded ? MergedExposition.text(of: texts, label: "shard") : texts[0].text
    }

    /// The status of all, as one.
    ///
    /// - Throws: a `Status` if no broker answers.
    func status() async throws(Status) -> ClusterStatus {
        let parts = await ask { source in
            do throws(Status) {
                return Result<ClusterStatus, Status>.success(try await source.status())
            } catch {
                return .failure(error)
            }
        }
        let answers = parts.compactMap { part in (try? part.answer.get()).map { (shard: part.shard, status: $0) } }
        guard isSharded, !answers.isEmpty else { return try parts[0].answer.get() }
        return ClusterStatus(shards: answers)
    }

    /// Asks all at once; the answers are in the order of the shards.
    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (ClusterStatusSource) async -> Answer
    ) async -> [(shard: String, answer: Answer)] {
        await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, shard) in shards.enumerated() { group.addTask { (index, await question(shard.source)) } }
            var answers: [Int: Answer] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return shards.indices.compactMap { index in answers[index].map { (shards[index].name, $0) } }
        }
    }
}
