package import EngineInterface
internal import HTTPTransfers
package import Logging
package import ServingModel
internal import Synchronization
package import ZeroMQ

/// A server with OpenAI's interface as the engine of a worker: vLLM, llama.cpp's server, SGLang or any other.
///
/// The server batches by itself; what is asked of it is one streamed completion for each query, over a connection of its
/// own that is closed when nobody wants the answer any more. In between it is asked once a second how it does. While it
/// cannot be reached there is no engine: `watch` says so at once, before any of the answers that broke off does.
package final class UpstreamEngine: StreamingEngine {
    let configuration: UpstreamConfiguration
    let logger: Logger
    let client: HTTPClient
    /// Requests for completions without what differs between them, by their paths.
    private let requests: [String: HTTPRequest]
    /// What the server said of itself when it was found last; nil while it is not there.
    let account = Mutex<ServerAccount?>(nil)
    /// Those who want to know whether the server is still there.
    let doubts = Doubts()

    /// - Parameter thread: the worker's, for the requests to run on; nil makes one of their own.
    package init(configuration: UpstreamConfiguration, thread: LoopThread? = nil, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        // What TLS computes when a connection begins would hold up whoever shares the thread.
        client = HTTPClient(on: configuration.isEncrypted ? nil : thread)
        var requests: [String: HTTPRequest] = [:]
        for path in CompletionRequest.paths {
            var request = Self.httpRequest(path, configuration)
            request.headers += ["Content-Type: application/json", "Accept: text/event-stream"]
            request.idleTimeout = configuration.patience
            requests[path] = request
        }
        self.requests = requests
    }

    package func answer(
        _ request: SequenceRequest,
        _ output: @escaping @Sendable (StreamedTokens) -> Void
    ) async throws(Status) -> StreamedEnd {
        guard let account = account.withLock({ $0 }) else {
            throw Status(.unavailable, .engineFailed, "the server is not there")
        }
        let completion = CompletionRequest(request, model: account.model, kind: account.kind)
        guard var call = requests[completion.path] else { preconditionFailure("no request for \(completion.path)") }
        if let parent = request.traceparent {
            call.headers.append("traceparent: \(parent)")
            if let state = request.tracestate, !state.isEmpty { call.headers.append("tracestate: \(state)") }
        }
        call.body = completion.body
        let reader = Mutex(AnswerReader(maxTokens: request.maxTokens))
        let failure = await client.end(of: call) { event in
            switch event {
            case .began(let status, let retryAfter):
                reader.withLock { $0.begin(status: status, retryAfter: retryAfter) }
            case .body(let bytes):
                let (tokens, hasFailed) = reader.withLock { ($0.take(bytes), $0.hasFailed) }
                for some in tokens { output(some) }
                return hasFailed ? .enough : .more
            case .ended: break
            }
            return .more
        }
        do throws(Status) {
            let (last, end) = try reader.withLock { reader throws(Status) in try reader.end(failure?.description) }
            if let last { output(last) }
            return end
        } catch {
            // Is it the server that has gone, or this answer only? If it has gone, `watch` tells before this is told.
            if error.code == .unavailable, !Task.isCancelled { await doubts.settle() }
            throw error
        }
    }

    func httpRequest(_ path: String) -> HTTPRequest { Self.httpRequest(path, configuration) }

    private static func httpRequest(_ path: String, _ configuration: UpstreamConfiguration) -> HTTPRequest {
        var request = HTTPRequest(configuration.url + path)
        if let apiKey = configuration.apiKey { request.headers.append("Authorization: Bearer \(apiKey)") }
        return request
    }
}
