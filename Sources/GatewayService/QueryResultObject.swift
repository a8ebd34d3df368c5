internal import AladdinClient
internal import Hummingbird
internal import ServingModel

/// A query's result as `GET /v1/queries/ID` tells it.
struct QueryResultObject: Sendable {
    let id: String
    private var transcript = QueryTranscript(keepsText: true)
    private(set) var wasAccepted = false
    /// How it ended, if not well.
    var failure: Status?

    init(id: String) {
        self.id = id
    }

    mutating func take(_ event: QueryEvent) throws(Status) {
        if case .accepted = event { wasAccepted = true }
        _ = try transcript.apply(event)
    }

    /// `{"id":…,"object":"aladdin.query","status":"completed"|"failed","text":…,…}`.
    func json() -> ByteBuffer {
        var json = JSONWriter()
        json.object { json in
            json.field("id", id)
            json.field("object", "aladdin.query")
            json.field("status", failure == nil ? "completed" : "failed")
            json.field("worker", transcript.worker)
            json.field("text", transcript.text)
            json.field("finish_reason", transcript.ending?.reason.openAIName)
            if let ending = transcript.ending {
                json.field("usage")
                json.object { json in
                    json.field("prompt_tokens", ending.inputTokens)
                    json.field("completion_tokens", ending.outputTokens)
                    json.field("total_tokens", ending.inputTokens + ending.outputTokens)
                }
            }
            if let failure {
                json.field("error")
                json.object { json in
                    json.field("message", failure.message)
                    json.field("code", failure.reason.label)
                }
            }
        }
        return json.buffer
    }

    /// One event of a stream, with the index of its first token, so that a reader that comes again can say where it was.
    static func event(_ event: QueryEvent, of id: String) -> ByteBuffer {
        var json = JSONWriter(buffer: ByteBuffer(string: "data: "))
        json.object { json in
            json.field("id", id)
            json.field("object", "aladdin.query.event")
            switch event {
            case .accepted:
                json.field("event", "accepted")
            case .started(let worker, let attempt, _):
                json.field("event", "started")
                json.field("worker", worker)
                json.field("attempt", attempt)
            case .tokens(let firstIndex, let count, _, let text):
                json.field("event", "tokens")
                json.field("first_index", firstIndex)
                json.field("count", count)
                json.field("text", text)
            case .reset(let firstIndex):
                json.field("event", "reset")
                json.field("first_index", firstIndex)
            case .finished(let reason, let inputTokens, let outputTokens):
                json.field("event", "finished")
                json.field("finish_reason", reason.openAIName)
                json.field("prompt_tokens", inputTokens)
                json.field("completion_tokens", outputTokens)
            }
        }
        var buffer = json.buffer
        buffer.writeStaticString("\n\n")
        return buffer
    }
}
