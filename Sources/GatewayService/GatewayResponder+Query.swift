internal import AladdinClient
internal import HTTPTypes
internal import Hummingbird
internal import ServingModel

/// `GET /v1/queries/ID`: a query that was accepted before, by whatever way it came in.
extension GatewayResponder {
    /// Waits for the query's end and answers with its result, or streams its answer from `?from=N` on if `?stream=true`.
    ///
    /// Leaving does not end the query.
    func query(
        _ id: String,
        _ request: Request,
        _ caller: Caller,
        _ context: GatewayContext
    ) async throws -> Response {
        guard QueryID(id) != nil else {
            throw APIError.invalidRequest("'\(id.prefix(64))' is not a query's identifier.", param: "id")
        }
        let parameters = request.uri.queryParameters
        let connectionClosed = await context.connectionClosed()
        do {
            if parameters["stream"] == "true" {
                let from = parameters["from"].map(String.init) ?? "0"
                guard let index = Int(from), (0...Int(Int32.max)).contains(index) else {
                    throw APIError.invalidRequest("'from' must be the index of a token, 0 or more.", param: "from")
                }
                return try await streamQuery(id, from: index, caller, connectionClosed)
            }
            return try await wholeQuery(id, caller, connectionClosed)
        } catch {
            throw APIError(error)
        }
    }

    private func wholeQuery(
        _ id: String,
        _ caller: Caller,
        _ connectionClosed: OneShotSignal
    ) async throws -> Response {
        let outcome = try await Interruption.interrupting(on: connectionClosed, or: draining) { [service] in
            var result = QueryResultObject(id: id)
            do {
                for try await event in service.attach(to: id, from: 0, tenant: caller.tenant) { try result.take(event) }
            } catch let status as Status where result.wasAccepted && !Self.isOurTrouble(status) {
                result.failure = status
            }
            return result
        }
        return .json(outcome.json())
    }

    private func streamQuery(
        _ id: String,
        from index: Int,
        _ caller: Caller,
        _ connectionClosed: OneShotSignal
    ) async throws -> Response {
        let events = service.attach(to: id, from: index, tenant: caller.tenant)
        // The first event says whether there is such a query, so that one that is not there is answered with 404.
        let first = try await Interruption.interrupting(on: connectionClosed, or: draining) {
            var iterator = events.makeAsyncIterator()
            return try await iterator.next()
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
            body: ResponseBody { [draining] writer in
                let output = EventWriter(writer)
                do {
                    try await Interruption.interrupting(on: connectionClosed, or: draining) {
                        if let first { try await output.write(QueryResultObject.event(first, of: id)) }
                        for try await event in events { try await output.write(QueryResultObject.event(event, of: id)) }
                        try await output.write(CompletionObject.streamEnd)
                    }
                } catch let gone as Interruption where gone != .shuttingDown {
                    throw gone
                } catch {
                    try await output.write(CompletionObject.failure(APIError(error)))
                }
                try await output.finish()
            }
        )
    }

    /// Whether a status says that the answer could not be fetched, and nothing of the query itself.
    private static func isOurTrouble(_ status: Status) -> Bool {
        switch status.reason {
        case .sessionExpired, .shuttingDown, .staleSession: true
        default: false
        }
    }
}
