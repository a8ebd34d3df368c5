internal import AladdinClient
internal import HTTPTypes
internal import Hummingbird
internal import ServingModel

/// Queries answered as server-sent events.
extension GatewayResponder {
    /// Waits for the first token, so that refusals get their proper status, the worker's among them, then streams.
    func stream(
        _ call: GenerationCall,
        _ run: QueryRun,
        _ connectionClosed: OneShotSignal
    ) async throws -> Response {
        let events = service.generate(call.query)
        let opening = try await Interruption.interrupting(on: connectionClosed, or: draining) {
            var run = run
            var iterator = events.makeAsyncIterator()
            let change = try await run.read(&iterator) { $0 != .nothing && $0 != .started }
            return (run: run, change: change)
        }
        let transcript = opening.run.transcript
        let objects = CompletionObject(call, transcript, model: await modelName(of: call), created: unixTime())
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8",
            .cacheControl: "no-cache",
        ]
        // Proxies such as nginx would collect the stream otherwise.
        if let name = HTTPField.Name("x-accel-buffering") { headers[name] = "no" }
        headers.describe(transcript)
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { writer in
                let output = EventWriter(writer)
                do {
                    try await Interruption.interrupting(on: connectionClosed, or: draining) {
                        try await writeWatched(opening.run, opening.change, events, objects, to: output)
                    }
                } catch {
                    // A write may fail before the connection's end is signalled.
                    let gone: any Error =
                        connectionClosed.isRaised && !draining.isRaised ? Interruption.clientGone : error
                    try await end(output, after: gone, call.kind)
                }
                try await output.finish()
            }
        )
    }

    /// Writes until the query ends, or until the client has not read for too long.
    private func writeWatched(
        _ run: QueryRun,
        _ change: QueryTranscript.Change,
        _ events: QueryStream,
        _ objects: CompletionObject,
        to output: EventWriter
    ) async throws {
        let limit = Duration.nanoseconds(configuration.stalledReaderTimeout.nanoseconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await write(run, change, events, objects, to: output) }
            group.addTask { try await output.watchForStall(limit: limit) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Writes a query's changes, one at a time, from `change` on until it has finished.
    private func write(
        _ run: QueryRun,
        _ change: QueryTranscript.Change,
        _ events: QueryStream,
        _ objects: CompletionObject,
        to output: EventWriter
    ) async throws {
        var run = run
        var change = change
        var iterator = events.makeAsyncIterator()
        var isFirst = true
        while true {
            switch change {
            case .nothing, .started: break
            case .tokens(_, let text):
                // A token may end within a character; its text comes with the next.
                if !text.isEmpty {
                    try await output.write(objects.chunk(text: text, isFirst: isFirst))
                    isFirst = false
                }
            case .tookBack:
                // Whoever asks again under the same name gets the answer: this stream's end must not be the query's.
                await service.leave(run.transcript.id)
                throw Status(.aborted, .workerLost, "The worker was lost and what it wrote can't be continued.")
            case .finished:
                guard let ending = run.transcript.ending else { return }
                var last = isFirst ? objects.chunk(text: "", isFirst: true) : ByteBuffer()
                last.writeImmutableBuffer(objects.ending(ending))
                return try await output.write(last)
            }
            change = try await run.read(&iterator) { $0 != .nothing && $0 != .started }
        }
    }

    /// Tells the client why its stream ends; nobody is told anything if the client has gone.
    private func end(_ output: EventWriter, after error: any Error, _ kind: CompletionKind) async throws {
        if let gone = error as? Interruption, gone != .shuttingDown {
            metrics.cancelledByClient(streaming: true)
            throw error
        }
        let shown = APIError(error, kind: kind)
        metrics.streamFailed(shown)
        try await output.write(CompletionObject.failure(shown))
    }
}
