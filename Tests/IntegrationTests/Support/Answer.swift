internal import AladdinClient
internal import ServingModel
internal import Testing

/// Everything heard of one query, put together as a client would.
struct Answer: Sendable, Equatable {
    var id = ""
    var workers: [String] = []
    private var pieces: [Piece] = []
    /// Tokens heard, whether or not the engine names them.
    var count = 0
    var gaps = 0
    var repeats = 0
    var resets = 0
    var finish: FinishReason?
    var outputTokens = 0
    var failure: Status?

    private struct Piece: Equatable {
        var firstIndex: Int
        var ids: [Int32]
        var text: String
    }

    var text: String { pieces.map(\.text).joined() }
    var tokens: [Int32] { pieces.flatMap(\.ids) }

    mutating func take(_ event: QueryEvent) {
        switch event {
        case .accepted(let id):
            self.id = id
        case .started(let worker, _, _):
            workers.append(worker)
        case .tokens(let index, let count, let ids, let text):
            if index > self.count { gaps += 1 }
            if index < self.count { repeats += 1 }
            self.count = index + count
            pieces.append(Piece(firstIndex: index, ids: ids, text: text))
        case .reset(let index):
            resets += 1
            pieces.removeAll { $0.firstIndex >= index }
            self.count = index
        case .finished(let reason, _, let outputTokens):
            finish = reason
            self.outputTokens = outputTokens
        }
    }

    /// All of a query, from sending it to its end.
    static func of(
        _ client: AladdinClient,
        _ request: QueryRequest,
        onToken: (@Sendable (Int) -> Void)? = nil
    ) async throws -> Answer {
        var answer = Answer()
        do {
            for try await event in client.generate(request) {
                answer.take(event)
                if case .tokens = event { onToken?(answer.count) }
            }
        } catch let status as Status {
            answer.failure = status
        }
        return answer
    }
}

extension QueryRequest {
    static func chat(
        _ text: String,
        model: String = "",
        maxTokens: Int = 24,
        seed: UInt64? = nil,
        metadata: [(key: String, value: String)] = []
    ) -> QueryRequest {
        QueryRequest(
            model: model,
            input: .chat([ChatMessage(role: "user", content: text)]),
            maxTokens: maxTokens,
            sampling: Sampling(seed: seed),
            metadata: metadata
        )
    }
}
