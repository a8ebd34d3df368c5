internal import AladdinClient
internal import HTTPTypes
internal import Hummingbird
internal import ServingModel

/// Queries: answered whole here, streamed in `GatewayResponder+Stream.swift`.
extension GatewayResponder {
    /// Answers `POST /v1/chat/completions` and `POST /v1/completions`.
    func complete(
        _ kind: CompletionKind,
        _ request: Request,
        _ caller: Caller,
        _ context: GatewayContext,
        _ trace: RequestTrace?
    ) async throws -> Response {
        let body = try await readBody(of: request)
        let arrival = ContinuousClock.now
        var call = try GenerationCall(kind, body: body, headers: request.headers, configuration: configuration)
        try caller.charge(&call.query.metadata)
        if let context = trace?.context {
            call.query.metadata.removeAll { ["traceparent", "tracestate"].contains($0.key) }
            call.query.metadata += context.metadata
        }
        let connectionClosed = await context.connectionClosed()
        let run = QueryRun(arrival: arrival, keepsText: !call.isStreaming, metrics: metrics)
        do {
            return if call.isStreaming {
                try await stream(call, run, connectionClosed)
            } else {
                try await answer(call, run, connectionClosed)
            }
        } catch {
            if let gone = error as? Interruption, gone != .shuttingDown {
                metrics.cancelledByClient(streaming: call.isStreaming)
            }
            throw APIError(error, kind: kind)
        }
    }

    /// Waits for the query's end and answers with one object.
    private func answer(
        _ call: GenerationCall,
        _ run: QueryRun,
        _ connectionClosed: OneShotSignal
    ) async throws -> Response {
        let transcript = try await Interruption.interrupting(on: connectionClosed, or: draining) { [service] in
            var run = run
            var events = service.generate(call.query).makeAsyncIterator()
            _ = try await run.read(&events) { _ in false }
            return run.transcript
        }
        let answer = CompletionObject(call, transcript, model: await modelName(of: call), created: unixTime())
        var response = Response.json(answer.json(transcript))
        response.headers.describe(transcript)
        return response
    }

    /// The model's name for the answer: the one asked for, or the only one there is.
    func modelName(of call: GenerationCall) async -> String {
        guard call.query.model.isEmpty else { return call.query.model }
        let models = (try? await service.models()) ?? []
        return models.count == 1 ? models[0].name : ""
    }
}

extension HTTPFields {
    private static let queryID = HTTPField.Name("x-aladdin-query-id")
    private static let worker = HTTPField.Name("x-aladdin-worker")
    private static let predictedTimeToFirstToken = HTTPField.Name("x-aladdin-predicted-ttft-ms")

    /// Adds what is known of the query: its identifier, its worker, what was predicted for it.
    mutating func describe(_ transcript: QueryTranscript) {
        if let name = Self.queryID, !transcript.id.isEmpty { self[name] = transcript.id }
        if let name = Self.worker, let worker = transcript.worker { self[name] = worker }
        if let name = Self.predictedTimeToFirstToken, let prediction = transcript.predictedTimeToFirstToken {
            self[name] = String((prediction.milliseconds * 1000).rounded() / 1000)
        }
    }
}
