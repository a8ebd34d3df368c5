internal import AladdinClient
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes
internal import ServingModel

/// One completion over HTTP, from its request's head to its answer's end.
///
/// Confined to the event loop of its connection, whose handler gives it the request and what becomes of the connection,
/// and writes what it puts out. So a request wakes two threads only: the client's when it is there, and the connection's
/// when there is something to write.
final class CompletionExchange {
    /// What follows on what is put out.
    enum Ending {
        case more
        /// That was the last of the answer.
        case end
        /// Nothing, and the client can't be told: the connection has to go.
        case cut
    }

    /// A query under way.
    private struct Asked {
        var reply: CompletionReply
        let inbox: NewsInbox
        let giveUp: @Sendable () -> Void
        let drainingToken: Int?
    }

    private let gateway: GatewayResponder
    private let route: Route
    private let kind: CompletionKind
    private let head: HTTPRequest
    private let eventLoop: any EventLoop
    private let trace: RequestTrace?
    private let inFlight: GatewayMetrics.InFlight
    private var caller = GatewayResponder.Caller()
    private var body: [UInt8] = []
    private var asked: Asked?
    /// Whether a part of what was written is void, so that nothing more may follow it but the error that says so.
    private var wasTakenBack = false
    /// Nil once the exchange is over.
    private var put: ((_ parts: [HTTPResponsePart], _ ending: Ending) -> Void)?

    /// - Parameter put: writes; nothing is put out before the first of the methods is called.
    init(
        _ kind: CompletionKind,
        _ head: HTTPRequest,
        at gateway: GatewayResponder,
        on eventLoop: any EventLoop,
        put: @escaping (_ parts: [HTTPResponsePart], _ ending: Ending) -> Void
    ) {
        self.kind = kind
        self.head = head
        self.gateway = gateway
        self.eventLoop = eventLoop
        self.put = put
        route = .completion(kind)
        inFlight = gateway.metrics.beginRequest()
        trace = RequestTrace(of: head, route, gateway.tracing)
    }

    var isOver: Bool { put == nil }
    private var isStreaming: Bool { asked?.reply.isStreaming ?? false }

    /// Looks at the head, which may be reason enough to refuse the request.
    func begin() {
        do throws(APIError) {
            caller = try gateway.caller(of: head.headerFields, route)
            let announced = head.headerFields.first { $0.name == .contentLength }.flatMap { Int($0.value) } ?? 0
            guard announced <= gateway.configuration.maximumBodyBytes else { throw gateway.bodyTooLarge }
            // What is announced need not come.
            body.reserveCapacity(min(max(0, announced), 1 << 20))
        } catch {
            end(error)
        }
    }

    /// Takes a part of the request's body.
    func read(_ bytes: ByteBuffer) {
        guard !isOver else { return }
        guard body.count + bytes.readableBytes <= gateway.configuration.maximumBodyBytes else {
            return end(gateway.bodyTooLarge)
        }
        bytes.withUnsafeReadableBytes { body += $0 }
    }

    /// The request is whole: asks the service.
    func ask() {
        guard !isOver else { return }
        let arrival = ContinuousClock.now
        do throws(APIError) {
            var call = try GenerationCall(
                kind,
                body: body,
                headers: head.headerFields,
                configuration: gateway.configuration
            )
            body = []
            try caller.charge(&call.query.metadata)
            if let context = trace?.context {
                call.query.metadata.removeAll { ["traceparent", "tracestate"].contains($0.key) }
                call.query.metadata += context.metadata
            }
            let run = QueryRun(arrival: arrival, keepsText: !call.isStreaming, metrics: gateway.metrics)
            ask(call, CompletionReply(call, created: gateway.unixTime(), run))
        } catch {
            end(error)
        }
    }

    private func ask(_ call: GenerationCall, _ reply: CompletionReply) {
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        let inbox = NewsInbox(isPatient: !call.isStreaming) { [eventLoop] in
            eventLoop.execute { here.value.hearNews() }
        }
        asked = Asked(
            reply: reply,
            inbox: inbox,
            giveUp: gateway.service.generate(call.query) { inbox.put($0) },
            drainingToken: gateway.draining.observe { [eventLoop] in
                eventLoop.execute { here.value.interrupt(.shuttingDown) }
            }
        )
    }

    /// What comes of the request can't be read; one that is whole is answered all the same.
    func requestBroke() {
        if asked == nil { end(.invalidRequest("The request is not valid HTTP.", code: Reason.malformed.label)) }
    }

    /// Ends the answer early, and its query with it.
    func interrupt(_ reason: Interruption) {
        guard !isOver else { return }
        guard let asked else { return cut() }
        asked.giveUp()
        if reason != .shuttingDown { gateway.metrics.cancelledByClient(streaming: isStreaming) }
        if reason != .shuttingDown, asked.reply.hasBegun { cut() } else { end(APIError(reason, kind: kind)) }
    }
}

extension CompletionExchange {
    private func hearNews() {
        // Asked for bit by bit: a copy of what is known of a query costs more than most of its events.
        guard !isOver, !wasTakenBack, let inbox = asked?.inbox else { return }
        guard asked?.reply.isNamed == true else { return findName() }
        var parts: [HTTPResponsePart] = []
        for item in inbox.take() {
            do throws(Status) {
                switch item.news {
                case .event(let event):
                    guard try hear(event, at: item.time, &parts) else { return }
                case .ended(let status):
                    throw status ?? Status(.internalError, .none, "The query's events ended before the query did.")
                }
            } catch {
                if case .event = item.news { asked?.giveUp() }
                return end(APIError(error, kind: kind), after: parts)
            }
        }
        if !parts.isEmpty { write(parts, .more) }
    }

    /// - Returns: whether to go on.
    private func hear(
        _ event: QueryEvent,
        at time: ContinuousClock.Instant,
        _ parts: inout [HTTPResponsePart]
    ) throws(Status) -> Bool {
        switch try asked?.reply.take(event, at: time, &parts) {
        case .goesOn:
            return true
        case .isOver, nil:
            write(parts, .end)
            close()
            return false
        case .tookBack:
            takeBack(parts)
            return false
        }
    }

    /// Ends a stream of which a part is void: whoever asks again under the same name gets the answer, so that this
    /// stream's end must not be the query's.
    private func takeBack(_ parts: [HTTPResponsePart]) {
        wasTakenBack = true
        let id = asked?.reply.queryID ?? ""
        let here = NIOLoopBound((exchange: self, parts: parts), eventLoop: eventLoop)
        // The service has to have let go of the query before the client can ask again.
        Task { [service = gateway.service, eventLoop] in
            await service.leave(id)
            eventLoop.execute {
                let words = "The worker was lost and what it wrote can't be continued."
                let error = APIError(Status(.aborted, .workerLost, words), kind: here.value.exchange.kind)
                here.value.exchange.end(error, after: here.value.parts)
            }
        }
    }

    /// Asks for the name of the only model, for a request that names none, and goes on when it is there.
    private func findName() {
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        // No more than a message to the broker and its answer.
        Task { [service = gateway.service, eventLoop] in
            let models = (try? await service.models()) ?? []
            eventLoop.execute {
                here.value.asked?.reply.name(models.count == 1 ? models[0].name : "")
                here.value.hearNews()
            }
        }
    }

    private func end(_ error: APIError, after parts: [HTTPResponsePart] = []) {
        guard !isOver else { return }
        var parts = parts
        if let reply = asked?.reply, reply.hasBegun {
            gateway.metrics.streamFailed(error)
            parts.append(.body(CompletionObject.failure(error)))
            parts.append(.end(nil))
        } else {
            parts += error.parts
        }
        write(parts, .end)
        close()
    }

    private func cut() {
        put?([], .cut)
        close()
    }

    private func write(_ parts: [HTTPResponsePart], _ ending: Ending) {
        var parts = parts
        if case .head(var response) = parts.first {
            gateway.metrics.answered(route: route.label, code: response.status.code)
            trace?.answered(response.status.code, &response.headerFields)
            parts[0] = .head(response)
        }
        put?(parts, ending)
    }

    private func close() {
        guard !isOver else { return }
        put = nil
        if let token = asked?.drainingToken { gateway.draining.remove(token) }
        asked = nil
        trace?.end()
        inFlight.end()
    }
}
