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
    private var question: Task<Result<ClusterStatus, Status>, Never>?

    /// - Parameters:
    ///   - endpoint: the broker's admin endpoint.
    ///   - key: for a broker that wants to know who asks.
    init(endpoint: String, key: ClientKey? = nil) {
        self.endpoint = endpoint
        self.key = key
    }

    /// - Throws: a `Status`; `.unavailable` if the broker does not answer within three seconds.
    func status() async throws(Status) -> ClusterStatus {
        if let latest, ContinuousClock.now - latest.time < Self.freshness { return latest.status }
        if let question { return try await question.value.get() }
        let question = Task { [endpoint, key] in
            let admin = AdminClient(endpoint: endpoint, key: key, logger: .silent)
            do throws(Status) {
                return Result<ClusterStatus, Status>.success(try await admin.status(patience: .seconds(3)))
            } catch {
                return .failure(error)
            }
        }
        self.question = question
        let answer = await question.value
        self.question = nil
        latest = (try? answer.get()).map { ($0, .now) }
        return try answer.get()
    }
}
