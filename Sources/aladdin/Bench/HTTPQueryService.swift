internal import AladdinClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServingModel

/// Queries over a gateway's HTTP interface: `/v1/completions` with server-sent events, a connection for each.
struct HTTPQueryService: QueryService {
    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    private let host: String
    private let port: Int
    private let apiKey: String?

    /// - Parameters:
    ///   - url: `http://HOST[:PORT]`; nil is returned for anything else.
    ///   - apiKey: for a gateway that wants one.
    init?(url: String, apiKey: String? = nil) {
        guard let parsed = URL(string: url), parsed.scheme == "http", let host = parsed.host else { return nil }
        self.host = host
        port = parsed.port ?? 80
        self.apiKey = apiKey
    }

    var isConnected: Bool { true }

    func models() async throws(Status) -> [ServedModel] {
        throw Status(.unimplemented, .unsupported, "models are not listed over HTTP here")
    }

    func attach(to id: String, from index: Int, tenant: String?) -> QueryStream {
        QueryStream {
            throw Status(.unimplemented, .unsupported, "queries are not attached to over HTTP here")
        }
    }

    func generate(_ request: QueryRequest) -> QueryStream {
        let (stream, sink) = QueryStream.makeStream()
        // It ends with the stream: the task is cancelled when nobody reads any more.
        let task = Task {
            do {
                try await run(request, into: sink)
                sink.finish()
            } catch {
                sink.finish(throwing: error as? Status ?? Status(.unavailable, .none, "\(error)"))
            }
        }
        sink.onTermination = { _ in task.cancel() }
        return stream
    }

    private func run(_ request: QueryRequest, into sink: QueryStream.Continuation) async throws {
        let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        try await connection.executeThenClose { inbound, outbound in
            let body = try Self.body(of: request)
            try await outbound.write(.head(head(of: request, bodyBytes: body.count)))
            try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: body))))
            try await outbound.write(.end(nil))
            try await read(inbound, into: sink)
        }
    }

    private func head(of request: QueryRequest, bodyBytes: Int) -> HTTPRequestHead {
        var headers = HTTPHeaders([
            ("host", "\(host):\(port)"), ("content-type", "application/json"),
            ("content-length", "\(bodyBytes)"), ("connection", "close"),
        ])
        if let apiKey { headers.add(name: "authorization", value: "Bearer \(apiKey)") }
        for (key, value) in request.metadata { headers.add(name: key, value: value) }
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/completions", headers: headers)
    }

    private static func body(of request: QueryRequest) throws -> Data {
        var object: [String: Any] = [
            "max_tokens": request.maxTokens, "temperature": request.sampling.temperature, "stream": true,
            "stream_options": ["include_usage": true],
        ]
        if !request.model.isEmpty { object["model"] = request.model }
        switch request.input {
        case .text(let text): object["prompt"] = text
        case .tokens(let ids): object["prompt"] = ids
        case .chat: throw Status(.unimplemented, .unsupported, "only completions are sent over HTTP here")
        }
        return try JSONSerialization.data(withJSONObject: object)
    }

    private func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
        into sink: QueryStream.Continuation
    ) async throws {
        var events = CompletionEvents()
        var status = 200
        var refusal = ""
        for try await part in inbound {
            switch part {
            case .head(let head):
                status = Int(head.status.code)
            case .body(let buffer) where status == 200:
                for event in try events.take(String(buffer: buffer)) { sink.yield(event) }
            case .body(let buffer):
                refusal += String(buffer: buffer)
            case .end:
                guard status == 200 else { throw Self.failure(of: status, refusal) }
                guard events.isComplete else { throw Status(.dataLoss, .none, "the stream ended early") }
                return
            }
        }
        throw Status(.unavailable, .none, "the connection was closed early")
    }

    /// - Parameter body: OpenAI's error object, if the other side is what it should be.
    private static func failure(of status: Int, _ body: String) -> Status {
        let code: StatusCode =
            switch status {
            case 429: .resourceExhausted
            case 503: .unavailable
            case 504: .deadlineExceeded
            case 404: .notFound
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 400..<500: .invalidArgument
            default: .internalError
            }
        let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        let error = object?["error"] as? [String: Any]
        let label = error?["code"] as? String
        let reason = label == "model_not_found" ? .unknownModel : Reason.allCases.first { $0.label == label }
        return Status(code, reason ?? .none, error?["message"] as? String ?? "HTTP status \(status)")
    }
}

/// Reads the server-sent events of a completion, however they are cut.
struct CompletionEvents {
    private var rest = ""
    private var tokens = 0
    private(set) var isComplete = false

    /// - Throws: `Status` if the service reported an error in mid-stream or sent what is no event.
    mutating func take(_ text: String) throws -> [QueryEvent] {
        rest += text
        var events: [QueryEvent] = []
        while let end = rest.range(of: "\n\n") {
            let line = String(rest[..<end.lowerBound])
            rest.removeSubrange(..<end.upperBound)
            guard line.hasPrefix("data: ") else { continue }
            let data = line.dropFirst(6)
            guard data != "[DONE]" else {
                isComplete = true
                continue
            }
            events += try read(Data(data.utf8))
        }
        return events
    }

    private mutating func read(_ data: Data) throws -> [QueryEvent] {
        guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Status(.dataLoss, .malformed, "an event is no JSON object")
        }
        if object["error"] != nil { throw Status(.internalError, .none, "the service reported an error in mid-stream") }
        var events: [QueryEvent] = []
        let choice = (object["choices"] as? [[String: Any]])?.first
        if let text = choice?["text"] as? String, !text.isEmpty {
            events.append(.tokens(firstIndex: tokens, count: 1, ids: [], text: text))
            tokens += 1
        }
        if let usage = object["usage"] as? [String: Any], let output = usage["completion_tokens"] as? Int {
            // A chunk may carry several tokens, and a token no text; the service's own count settles it.
            let input = usage["prompt_tokens"] as? Int ?? 0
            if output > tokens { events.append(.tokens(firstIndex: tokens, count: output - tokens, ids: [], text: "")) }
            tokens = max(tokens, output)
            events.append(.finished(reason: .length, inputTokens: input, outputTokens: tokens))
        }
        return events
    }
}
