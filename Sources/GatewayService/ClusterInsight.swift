internal import ServingModel

/// What a gateway can tell of the whole cluster; asked for anew each time.
package struct ClusterInsight: Sendable {
    /// Families of metrics, in Prometheus' text format.
    package var metrics: @Sendable () async -> String
    /// The cluster's status as a JSON object; throws a `Status` where it can't be had.
    package var status: @Sendable () async throws -> String

    package init(
        metrics: @escaping @Sendable () async -> String,
        status: @escaping @Sendable () async throws -> String
    ) {
        self.metrics = metrics
        self.status = status
    }

    /// Of a gateway that knows nothing of the cluster.
    package static let none = ClusterInsight(
        metrics: { "" },
        status: { throw Status(.unimplemented, .none, "This gateway knows nothing of the cluster.") }
    )
}
