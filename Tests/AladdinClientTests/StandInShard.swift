internal import AladdinClient
internal import ServiceLifecycle
internal import ServingModel
internal import Synchronization

/// A shard within the test's process: it notes what it is asked and answers as it is told.
final class StandInShard: ShardService {
    private struct State {
        var generated: [String] = []
        var attached: [String] = []
        var left: [String] = []
        var cancelled: [String] = []
        var acknowledged: [String] = []
    }

    let name: String
    /// The one query that it knows.
    let knows: String
    let offers: Result<[ServedModel], Status>
    /// What it says when its query is acknowledged, if not yes.
    let refusal: Status?
    private let state = Mutex(State())

    init(
        _ name: String,
        knows: String = "",
        offers: Result<[ServedModel], Status> = .success([]),
        refusal: Status? = nil
    ) {
        self.refusal = refusal
        self.name = name
        self.knows = knows
        self.offers = offers
    }

    var generated: [String] { state.withLock { $0.generated } }
    var attached: [String] { state.withLock { $0.attached } }
    var left: [String] { state.withLock { $0.left } }
    var cancelled: [String] { state.withLock { $0.cancelled } }
    var acknowledged: [String] { state.withLock { $0.acknowledged } }

    func run() async throws {
        try await gracefulShutdown()
    }

    func generate(_ request: QueryRequest) -> QueryStream {
        state.withLock { $0.generated.append(request.model) }
        return Self.stream([.accepted(id: name)], failing: nil)
    }

    func attach(to id: String, from index: Int, tenant: String?) -> QueryStream {
        state.withLock { $0.attached.append(id) }
        switch offers {
        case .failure(let status): return Self.stream([], failing: status)
        case .success where id == knows: return Self.stream([.accepted(id: name)], failing: nil)
        case .success: return Self.stream([], failing: Status(.notFound, .unknownQuery))
        }
    }

    func cancel(_ id: String, tenant: String?) async throws(Status) {
        state.withLock { $0.cancelled.append(id) }
        try answer(about: id)
    }

    func acknowledge(_ id: String, tenant: String?) async throws(Status) {
        state.withLock { $0.acknowledged.append(id) }
        try answer(about: id)
        if let refusal { throw refusal }
    }

    private func answer(about id: String) throws(Status) {
        _ = try offers.get()
        guard id == knows else { throw Status(.notFound, .unknownQuery) }
    }

    func leave(_ id: String) async { state.withLock { $0.left.append(id) } }
    func leaveAll() async { state.withLock { $0.left.append("all") } }
    func models() async throws(Status) -> [ServedModel] { try offers.get() }
    var isConnected: Bool { get async { (try? offers.get()) != nil } }

    private static func stream(_ events: [QueryEvent], failing status: Status?) -> QueryStream {
        let (stream, sink) = QueryStream.makeStream()
        for event in events { sink.yield(event) }
        sink.finish(throwing: status)
        return stream
    }
}

extension QueryStream {
    /// Who accepted the query.
    func acceptor() async throws -> String? {
        for try await case .accepted(let id) in self { return id }
        return nil
    }
}
