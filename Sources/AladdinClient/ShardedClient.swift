public import Logging
public import ServiceLifecycle
public import ServingModel
internal import Synchronization

/// A client of several shards: each query goes to the one that serves its model or its tenant.
///
/// Call `run()` in a task of your own, as with `AladdinClient`: it keeps a session with every shard. One that can't be reached
/// holds up its own queries alone.
public final class ShardedClient: QueryService, Service {
    private let map: Mutex<ShardMap>
    /// By the names of their shards.
    private let clients: [String: any ShardService]

    /// - Parameters:
    ///   - map: the rule; its shards and the ones of `endpoints` have to be the same.
    ///   - endpoints: by shard, as `AladdinClient` takes them.
    ///   - name: what this client calls itself in tables.
    ///   - key: for brokers that want to know who comes.
    public convenience init(
        _ map: ShardMap,
        endpoints: [String: String],
        name: String = "client",
        key: ClientKey? = nil,
        logger: Logger
    ) {
        let clients = endpoints.mapValues { AladdinClient(endpoint: $0, name: name, key: key, logger: logger) }
        self.init(map, clients: clients)
    }

    package init(_ map: ShardMap, clients: [String: any ShardService]) {
        precondition(Set(map.shards) == Set(clients.keys), "there is a client for each shard")
        self.map = Mutex(map)
        self.clients = clients
    }

    /// Sends queries by another rule from now on; those under way stay where they are.
    ///
    /// - Parameter map: with the same shards.
    public func adopt(_ map: ShardMap) {
        precondition(Set(map.shards) == Set(clients.keys), "there is a client for each shard")
        self.map.withLock { $0 = map }
    }

    /// Keeps the sessions until a graceful shutdown or cancellation, then ends what is open.
    ///
    /// - Throws: if an endpoint is malformed.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients.values { group.addTask { try await client.run() } }
            try await group.waitForAll()
        }
    }

    public func generate(_ request: QueryRequest) -> QueryStream {
        if let client = client(for: request) { return client.generate(request) }
        let (stream, sink) = QueryStream.makeStream()
        sink.finish(throwing: Self.modelIsMissing)
        return stream
    }

    public func generate(
        _ request: QueryRequest,
        _ hear: @escaping @Sendable (QueryNews) -> Void
    ) -> @Sendable () -> Void {
        if let client = client(for: request) { return client.generate(request, hear) }
        hear(.ended(Self.modelIsMissing))
        return {}
    }

    /// The shard that a query belongs to; nil if it does not say enough for that.
    private func client(for request: QueryRequest) -> (any ShardService)? {
        let map = map.withLock { $0 }
        switch map.key {
        case .model: return request.model.isEmpty ? nil : client(of: map.shard(for: request.model))
        case .tenant: return client(of: map.shard(for: request.tenant))
        }
    }

    /// Reads a query that was accepted before, wherever it is: its identifier does not say, and the rule may have changed.
    public func attach(to id: String, from index: Int = 0, tenant: String? = nil) -> QueryStream {
        let clients = candidates(for: tenant)
        let (stream, sink) = QueryStream.makeStream(bufferingPolicy: .unbounded)
        // The search lasts as long as its stream is read.
        let search = Task {
            var failure = Self.queryIsUnknown
            for client in clients {
                var isFound = false
                do {
                    for try await event in client.attach(to: id, from: index, tenant: tenant) {
                        isFound = true
                        sink.yield(event)
                    }
                    return sink.finish()
                } catch let status as Status where status.reason == .unknownQuery {
                    continue
                } catch let status as Status where status.code == .unavailable && !isFound {
                    // It may be the one that knows.
                    failure = status
                } catch {
                    return sink.finish(throwing: error)
                }
            }
            sink.finish(throwing: failure)
        }
        sink.onTermination = { _ in search.cancel() }
        return stream
    }

    /// Ends a query, wherever it is and whoever reads it; one that has ended already stays as it is.
    ///
    /// - Parameter tenant: as with `AladdinClient`; where tenants are divided among the shards it says which is asked first.
    /// - Throws: a `Status`, as with `AladdinClient`: `.notFound` if no shard knows the query, `.unavailable` if none that
    ///   can be reached does.
    public func cancel(_ id: String, tenant: String? = nil) async throws(Status) {
        try await search(for: tenant) { client throws(Status) in try await client.cancel(id, tenant: tenant) }
    }

    /// Says that a query's result has arrived, so that its broker need not keep it any longer.
    ///
    /// - Parameter tenant: as with `cancel`.
    /// - Throws: a `Status`, as with `cancel`; `.failedPrecondition` for a query that has not ended.
    public func acknowledge(_ id: String, tenant: String? = nil) async throws(Status) {
        try await search(for: tenant) { client throws(Status) in try await client.acknowledge(id, tenant: tenant) }
    }

    /// Asks one shard after the other until one knows the query.
    private func search(
        for tenant: String?,
        _ ask: (any ShardService) async throws(Status) -> Void
    ) async throws(Status) {
        var failure = Self.queryIsUnknown
        for client in candidates(for: tenant) {
            do throws(Status) {
                return try await ask(client)
            } catch {
                guard error.reason != .unknownQuery else { continue }
                guard error.code == .unavailable else { throw error }
                // It may be the one that knows.
                failure = error
            }
        }
        throw failure
    }

    public func leave(_ id: String) async {
        for client in clients.values { await client.leave(id) }
    }

    public func leaveAll() async {
        for client in clients.values { await client.leaveAll() }
    }

    /// The models of all shards that can be reached, sorted by name.
    ///
    /// - Throws: a `Status` if none can be.
    public func models() async throws(Status) -> [ServedModel] {
        let answers = await withTaskGroup(of: Result<[ServedModel], Status>.self) { group in
            for client in clients.values {
                group.addTask {
                    do throws(Status) { return .success(try await client.models()) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let lists = answers.compactMap { try? $0.get() }
        if lists.isEmpty, let answer = answers.first { return try answer.get() }
        return ServedModel.merged(lists.joined())
    }

    /// Whether any shard can be reached: what the others serve need not suffer from one that is down.
    public var isConnected: Bool {
        get async {
            for client in clients.values where await client.isConnected { return true }
            return false
        }
    }

    private func client(of shard: String) -> any ShardService {
        guard let client = clients[shard] else { preconditionFailure("the map has no other shards") }
        return client
    }

    /// The shard that the rule says first, if it can tell.
    private func candidates(for tenant: String?) -> [any ShardService] {
        let map = map.withLock { $0 }
        guard map.key == .tenant, let tenant else { return map.shards.map(client) }
        let likely = map.shard(for: tenant)
        return [client(of: likely)] + map.shards.filter { $0 != likely }.map(client)
    }

    private static let queryIsUnknown = Status(.notFound, .unknownQuery, "no shard knows this query")

    private static let modelIsMissing = Status(
        .invalidArgument,
        .unknownModel,
        "name the model: it says which shard serves the query"
    )
}

extension ServedModel {
    /// Those that several shards serve once.
    static func merged(_ models: some Sequence<ServedModel>) -> [ServedModel] {
        var merged: [String: ServedModel] = [:]
        for model in models {
            merged[
                model.name,
                default: ServedModel(name: model.name, workers: 0, contextLength: 0, engine: model.engine)
            ]
            .join(model)
        }
        return merged.values.sorted { $0.name < $1.name }
    }

    private mutating func join(_ other: ServedModel) {
        workers += other.workers
        contextLength = max(contextLength, other.contextLength)
        if engine != other.engine { engine = "mixed" }
    }
}
