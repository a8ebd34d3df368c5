internal import AladdinClient
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes
internal import ServingModel

/// The answer to a completion as it comes to be: a query's events in, parts of an HTTP response out.
///
/// A whole answer is written when its query has finished. A stream begins with the first token, so that refusals get their
/// proper status, the worker's among them; what goes wrong later is told in an event.
struct CompletionReply {
    /// What an event led to.
    enum Progress {
        case goesOn
        /// All is written.
        case isOver
        /// What has been written is void, and can't be taken back.
        case tookBack
    }

    private let kind: CompletionKind
    let isStreaming: Bool
    private let includesUsage: Bool
    /// The name to answer with; nil until it is known which is the only model.
    private var model: String?
    /// Seconds since 1970.
    private let created: Int
    private var run: QueryRun
    /// Of a stream that has begun.
    private var objects: CompletionObject?
    private var hasWritten = false

    /// - Parameters:
    ///   - created: seconds since 1970.
    init(_ call: GenerationCall, created: Int, _ run: QueryRun) {
        kind = call.kind
        isStreaming = call.isStreaming
        includesUsage = call.includesUsage
        model = call.query.model.isEmpty ? nil : call.query.model
        self.created = created
        self.run = run
    }

    /// Whether the status is on its way already.
    var hasBegun: Bool { objects != nil }

    var queryID: String { run.transcript.id }

    /// Whether there is a name to answer with; it is wanted before the first event is taken.
    var isNamed: Bool { model != nil }

    mutating func name(_ model: String) { self.model = model }

    /// Takes the query's next event and adds to `parts` what is to be written.
    ///
    /// - Throws: why there is no answer, or no more of it.
    mutating func take(
        _ event: QueryEvent,
        at time: ContinuousClock.Instant,
        _ parts: inout [HTTPResponsePart]
    ) throws(Status) -> Progress {
        let change = try run.take(event, at: time)
        switch change {
        case .nothing, .started:
            return .goesOn
        case .tokens(_, let text):
            if isStreaming { write(text, &parts) }
            return .goesOn
        case .tookBack:
            // A whole answer forgets it; of a stream somebody has read it.
            return isStreaming ? .tookBack : .goesOn
        case .finished:
            if isStreaming { endStream(&parts) } else { answer(&parts) }
            return .isOver
        }
    }

    private func answer(_ parts: inout [HTTPResponsePart]) {
        let transcript = run.transcript
        let body = CompletionObject.whole(kind, transcript, model: model ?? "", created: created)
        var headers = HTTPFields()
        // With those of the connection.
        headers.reserveCapacity(8)
        headers.add(.contentType, "application/json")
        headers.describe(transcript)
        parts.append(.head(HTTPResponse(200, headers, length: body.readableBytes)))
        parts.append(.body(body))
        parts.append(.end(nil))
    }

    private mutating func write(_ text: String, _ parts: inout [HTTPResponsePart]) {
        let objects = begin(&parts)
        // A token may end within a character; its text comes with the next.
        guard !text.isEmpty else { return }
        parts.append(.body(objects.chunk(text: text, isFirst: !hasWritten)))
        hasWritten = true
    }

    private mutating func endStream(_ parts: inout [HTTPResponsePart]) {
        let objects = begin(&parts)
        var last = hasWritten ? ByteBuffer() : objects.chunk(text: "", isFirst: true)
        if let ending = run.transcript.ending { last.writeImmutableBuffer(objects.ending(ending)) }
        parts.append(.body(last))
        parts.append(.end(nil))
    }

    private mutating func begin(_ parts: inout [HTTPResponsePart]) -> CompletionObject {
        if let objects { return objects }
        let new = CompletionObject(
            kind,
            run.transcript,
            model: model ?? "",
            created: created,
            includesUsage: includesUsage
        )
        objects = new
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8",
            .cacheControl: "no-cache",
            // Proxies such as nginx would collect the stream otherwise.
            .accelBuffering: "no",
        ]
        headers.describe(run.transcript)
        parts.append(.head(HTTPResponse(200, headers)))
        return new
    }
}

extension HTTPResponse {
    /// - Parameter length: of the body in bytes; nil for one that comes in chunks.
    init(_ status: Int, _ headers: HTTPFields, length: Int? = nil) {
        self.init(status: .init(code: status), headerFields: headers)
        if let length { headerFields.add(.contentLength, String(length)) }
    }
}
