internal import Brokering
internal import Glibc
internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import SpanExport
internal import ZeroMQ

extension BrokerService {
    /// Events in one message to the scheduler.
    private static let eventsPerMessage = 4096

    func perform(_ actions: [BrokerAction]) {
        writeDown(actions)
        for action in actions {
            switch action {
            case .announce(let stream):
                serve(stream)
            case .dispatch(let worker, let assignments):
                command(worker, .batch(assignments.map(Self.wire)))
            case .revoke(let worker, let leases):
                command(worker, .cancel(leases))
            case .tell(let event):
                pendingEvents.append(event)
            case .refuse(let stream, let status):
                end(stream, method(of: stream), status, over: endpoint(of: stream))
                methods[stream] = nil
            case .answer(let stream):
                answer(stream, method(of: stream), body: [], over: frontend)
                methods[stream] = nil
            case .explain(let stream, let explanation):
                answer(stream, .explain, body: explanation.encode(), over: admin)
                methods[stream] = nil
            case .expel(let worker, let status):
                logger.warning(
                    "worker expelled",
                    metadata: ["worker": "\(worker.rawValue)", "why": "\(status.message)"]
                )
                self.worker?.dismiss(worker.rawValue, status)
            case .trace(let trace):
                record(trace)
            case .write, .lookUp:
                break
            }
        }
        sendEvents()
        for endpoint in [frontend, worker, scheduler, admin] { endpoint?.flushBundles() }
    }

    /// Tells a stream all there is to tell, as long as its connection has room.
    private func serve(_ stream: StreamKey) {
        guard let frontend else { return }
        while true {
            guard frontend.hasRoom(stream.session.rawValue) else {
                blockedStreams.append(stream)
                return
            }
            guard let delivery = broker.nextDelivery(to: stream) else { return }
            send(delivery, to: stream, over: frontend)
        }
    }

    func serveBlockedStreams() {
        guard !blockedStreams.isEmpty else { return }
        let streams = blockedStreams
        blockedStreams.removeAll(keepingCapacity: true)
        for stream in streams { serve(stream) }
    }

    private func send(_ delivery: Delivery, to stream: StreamKey, over endpoint: SessionEndpoint) {
        switch delivery {
        case .end(let status), .givenUp(_, let status):
            end(stream, method(of: stream), status, over: endpoint)
            methods[stream] = nil
        default: break
        }
        guard let event = GenerateEvent(delivery) else { return }
        endpoint.send(
            .item,
            method: method(of: stream),
            stream: stream.stream,
            to: stream.session.rawValue,
            event
        )
    }

    func method(of stream: StreamKey) -> Method {
        methods[stream] ?? .generate
    }

    private func endpoint(of stream: StreamKey) -> SessionEndpoint? {
        method(of: stream) == .explain ? admin : frontend
    }

    func end(_ stream: StreamKey, _ method: Method, _ status: Status, over endpoint: SessionEndpoint?) {
        endpoint?.send(.end, method: method, stream: stream.stream, to: stream.session.rawValue, status)
    }

    /// The one answer of a unary call, and its end.
    func answer(_ stream: StreamKey, _ method: Method, body: [UInt8], over endpoint: SessionEndpoint?) {
        endpoint?.send(.item, method: method, stream: stream.stream, to: stream.session.rawValue, body: body)
        end(stream, method, .ok, over: endpoint)
    }

    func command(_ worker: WorkerID, _ command: WorkerCommand) {
        guard let stream = workStreams[worker.rawValue] else { return }
        self.worker?.send(.item, method: .work, stream: stream, to: worker.rawValue, command)
    }

    /// Leaves a query's spans to be exported; their times are those of the wall clock as it is now.
    private func record(_ trace: QueryTrace) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let age = (PollLoop.now() - trace.arrival).nanoseconds
        let arrival = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - age
        configuration.spans?.record(trace.spans(arrivedAt: arrival))
    }

    private static func wire(_ assignment: Assignment) -> WireAssignment {
        var wire = WireAssignment(
            lease: assignment.lease,
            queryID: assignment.id.description,
            attempt: assignment.attempt,
            remaining: assignment.remaining,
            request: assignment.request,
            resumedTokens: assignment.resumedTokens,
            traceparent: assignment.trace?.traceparent ?? ""
        )
        wire.handsOver = assignment.handsOver
        wire.kvCache = assignment.kvCache
        return wire
    }

    private func sendEvents() {
        guard !pendingEvents.isEmpty else { return }
        // Handed over as they are, for the next round has as many.
        var events: [ClusterEvent] = []
        events.reserveCapacity(pendingEvents.count)
        swap(&events, &pendingEvents)
        guard let scheduling else { return }
        var first = 0
        while first < events.count {
            let last = min(first + Self.eventsPerMessage, events.count)
            let part = last - first == events.count ? events : Array(events[first..<last])
            let message = ClusterEvents(firstNumber: nextEventNumber, events: part)
            nextEventNumber += UInt64(last - first)
            scheduler?.send(
                .item,
                method: .schedule,
                stream: scheduling.stream,
                to: scheduling.session.rawValue,
                message
            )
            first = last
        }
    }
}
