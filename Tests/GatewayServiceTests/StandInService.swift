internal import AladdinClient
internal import ServingModel
internal import Synchronization

/// A query service within the test's process: the test sees each query and plays what happens to it.
final class StandInService: QueryService {
    private struct State {
        var isConnected = true
        var models: Result<[ServedModel], Status>
        var left: [String] = []
        var whenLeft: (@Sendable () async -> Void)?
    }

    /// The one model of a stand-in that is told nothing else.
    static let model = ServedModel(name: "tiny", workers: 2, contextLength: 2048, engine: "cpu")

    private let state: Mutex<State>
    private let script: [QueryEvent]?
    private let queries: AsyncStream<StandInQuery>
    private let source: AsyncStream<StandInQuery>.Continuation

    /// Plays `script` to each query at once; nil leaves it to the test, which takes `nextQuery()`.
    init(script: [QueryEvent]? = nil, models: [ServedModel] = [StandInService.model]) {
        self.script = script
        state = Mutex(State(models: .success(models)))
        (queries, source) = AsyncStream.makeStream()
    }

    func generate(_ request: QueryRequest) -> QueryStream {
        let (stream, continuation) = QueryStream.makeStream()
        let query = StandInQuery(request, continuation)
        if let script { query.send(script) }
        source.yield(query)
        return stream
    }

    func attach(to id: String, from index: Int, tenant: String?) -> QueryStream {
        let (stream, continuation) = QueryStream.makeStream()
        let query = StandInQuery(attachedTo: id, of: tenant, continuation)
        if let script { query.send(script) }
        source.yield(query)
        return stream
    }

    func leave(_ id: String) async {
        let whenLeft = state.withLock { state in
            state.left.append(id)
            return state.whenLeft
        }
        await whenLeft?()
    }

    /// Leaving a query takes as long as this does.
    func whenLeft(_ action: @escaping @Sendable () async -> Void) {
        state.withLock { $0.whenLeft = action }
    }

    func leaveAll() async {
        state.withLock { $0.left.append("all") }
    }

    /// Queries that were left running, `all` for all of them.
    var left: [String] { state.withLock { $0.left } }

    func models() async throws(Status) -> [ServedModel] {
        try state.withLock(\.models).get()
    }

    var isConnected: Bool {
        get async { state.withLock(\.isConnected) }
    }

    func set(isConnected: Bool) {
        state.withLock { $0.isConnected = isConnected }
    }

    func set(models: Result<[ServedModel], Status>) {
        state.withLock { $0.models = models }
    }

    /// The next query sent, in order; waits for it.
    func nextQuery() async throws -> StandInQuery {
        for await query in queries { return query }
        throw CancellationError()
    }
}
