internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

extension AladdinClient {
    func brokerSent(_ event: PeerConnection.Event) {
        switch event {
        case .opened:
            nextStream = 1
            let waiting = unsent
            unsent.removeAll()
            for number in waiting { send(number) }
        case .lost(let status) where status.reason == .keyRevoked:
            // No other session will stand, so nothing is worth waiting for.
            failEverything(status)
        case .lost(let status):
            for number in queries.keys.sorted() where queries[number]?.stream != nil { interrupt(number, status) }
            queriesByStream.removeAll()
            failWaiters(Self.notConnected)
        case .frame(let header, let body) where header.method == .listModels:
            hearModels(header, body)
        case .frame(let header, let body):
            hear(header, body)
        }
    }

    /// A query whose session was lost waits for the next one, if it can go on there.
    private func interrupt(_ number: UInt64, _ status: Status) {
        guard let query = queries[number], query.call.survivesSession else {
            end(number, Status(.unavailable, .sessionExpired, "connection to the broker lost: \(status.message)"))
            return
        }
        query.stream = nil
        query.deadline = PollLoop.now() + reconnectPatience
        unsent.append(number)
    }

    private func hear(_ header: FrameHeader, _ body: FrameBody) {
        if header.kind == .end, let waiter = waiters.removeValue(forKey: header.stream) {
            let status = (try? body.decoded(as: Status.self)) ?? Self.unreadable
            waiter.resume(returning: status.isOK ? .success(()) : .failure(status))
            return
        }
        guard let number = queriesByStream[header.stream], let query = queries[number] else { return }
        guard header.kind == .item else {
            let status = (try? body.decoded(as: Status.self)) ?? Self.unreadable
            end(number, status.isOK ? nil : status)
            return
        }
        guard let event = try? body.decoded(as: GenerateEvent.self) else {
            guard !query.isCancelled else { return }
            cancel(number)
            query.hear(.ended(Self.unreadable))
            return
        }
        if let news = query.call.hear(QueryEvent(event), event), !query.isCancelled { query.hear(.event(news)) }
    }

    private func hearModels(_ header: FrameHeader, _ body: FrameBody) {
        if header.kind == .item {
            modelLists[header.stream] = (try? body.decoded(as: ModelList.self))?.models.map {
                ServedModel(name: $0.name, workers: $0.workers, contextLength: $0.contextLength, engine: $0.engine)
            }
            return
        }
        let models = modelLists.removeValue(forKey: header.stream)
        guard let waiter = modelWaiters.removeValue(forKey: header.stream) else { return }
        let status = (try? body.decoded(as: Status.self)) ?? Self.unreadable
        waiter.resume(returning: status.isOK ? .success(models ?? []) : .failure(status))
    }

    private static let unreadable = Status(.internalError, .malformed, "the broker's answer is unreadable")

    func end(_ number: UInt64, _ failure: Status?) {
        guard let query = queries.removeValue(forKey: number) else { return }
        if let stream = query.stream { queriesByStream[stream] = nil }
        if !query.isCancelled { query.hear(.ended(failure)) }
    }

    func failEverything(_ status: Status) {
        for number in queries.keys.sorted() { end(number, status) }
        failWaiters(status)
    }

    private func failWaiters(_ status: Status) {
        for (_, waiter) in waiters { waiter.resume(returning: .failure(status)) }
        waiters.removeAll()
        for (_, waiter) in modelWaiters { waiter.resume(returning: .failure(status)) }
        modelWaiters.removeAll()
    }

    func cycle(at now: Instant) -> Instant {
        var next = connection.cycle(at: now)
        unsent.removeAll { number in
            guard let query = queries[number] else { return true }
            next = min(next, query.deadline)
            guard query.deadline <= now else { return false }
            end(number, Self.notConnected)
            return true
        }
        return next
    }
}
