package import ServiceLifecycle
package import ServingModel

/// What a client of several shards has for each of them: `AladdinClient`, or a stand-in within the process for tests.
package protocol ShardService: QueryService, Service {
    /// Ends a query, as `AladdinClient.cancel` does.
    func cancel(_ id: String, tenant: String?) async throws(Status)

    /// Lets go of a result, as `AladdinClient.acknowledge` does.
    func acknowledge(_ id: String, tenant: String?) async throws(Status)
}

extension AladdinClient: ShardService {}
