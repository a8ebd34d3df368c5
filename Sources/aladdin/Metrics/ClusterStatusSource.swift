internal import AladdinClient
internal import Logging
internal import Messages
internal import ServingModel

/// The broker's view of the cluster, asked for over its admin endpoint, once for all who ask at about the same time.
///
/// However many browsers and scrapers there are, the broker answers a few questions a second.
actor ClusterStatusSource {
    /// How old an answer may be that is given again.
    private static let freshness = Duration.milliseconds(500)

    private let endpoint: String
    private let key: ClientKey?
    private var latest: (status: ClusterStatus, time: ContinuousClock.Instant)?
    private var question: (answer: Task<Result<ClusterStatus, Status>, Never>, hasMetrics: Bool)?

    /// - Parameters:
    ///   - endpoint: the broker's admin endpoint.
    ///   - key: for a broker that wants to know who asks.
    init(endpoint: String, key: ClientKey? = nil) {
        self.endpoint = endpoint
        self.key = key
    }

    /// - Parameter wantsMetrics: whether it is to carry the broker's own metrics, too.
    /// - Throws: a `Status`; `.unavailable` if the broker does not answer within three seconds.
    func status(wantsMetrics: Bool = false) async throws(Status) -> ClusterStatus {
        if let latest, ContinuousClock.now - latest.time < Self.freshness,
            !wantsMetrics || !latest.status.metrics.isEmpty
        {
            return latest.status
        }
        if let question, question.hasMetrics || !wantsMetrics { return try await question.answer.value.get() }
        let task = Task { [endpoint, key] in
            let admin = AdminClient(endpoint: endpoint, key: key, logger: .silent)
            do throws(Status) {
                let status = try await admin.status(wantsMetrics: wantsMetrics, patience: .seconds(3))
                return Result<ClusterStatus, Status>.success(status)
            } catch {
                return .failure(error)
            }
        }
        question = (task, hasMetrics: wantsMetrics)
        let answer = await task.value
        if question?.answer == task { question = nil }
        latest = (try? answer.get()).map { ($0, .now) }
        return try answer.get()
    }
}
