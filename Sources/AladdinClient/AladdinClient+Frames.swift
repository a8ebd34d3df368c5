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
        case .lost(let status):
            // What was never sent goes on waiting; what was sent died with the session.
            for number in queries.keys.sorted() where queries[number]?.stream != nil {
                end(number, Status(.unavailable, .sessionExpired, "connection to the broker lost: \(status.message)"))
            }
            for (_, waiter) in modelWaiters { waiter.resume(returning: .failure(Self.notConnected)) }
            modelWaiters.removeAll()
        case .frame(let header, let body) where header.method == .listModels:
            hearModels(header, body)
        case .frame(let header, let body):
            hear(header, body)
        }
    }

    private func hear(_ header: FrameHeader, _ body: [UInt8]) {
        guard let number = queriesByStream[header.stream], let query = queries[number] else { return }
        guard header.kind == .item else {
            let status =
                (try? Status.decode(body)) ?? Status(.internalError, .malformed, "the broker's answer is unreadable")
            end(number, status.isOK ? nil : status)
            return
        }
        guard let event = try? GenerateEvent.decode(body) else {
            cancel(number)
            query.sink.finish(throwing: Status(.internalError, .malformed, "the broker's answer is unreadable"))
            return
        }
        query.sink.yield(QueryEvent(event))
    }

    private func hearModels(_ header: FrameHeader, _ body: [UInt8]) {
        if header.kind == .item {
            modelLists[header.stream] = (try? ModelList.decode(body))?.models.map {
                ServedModel(name: $0.name, workers: $0.workers, contextLength: $0.contextLength, engine: $0.engine)
            }
            return
        }
        let models = modelLists.removeValue(forKey: header.stream)
        guard let waiter = modelWaiters.removeValue(forKey: header.stream) else { return }
        let status = (try? Status.decode(body)) ?? Status(.internalError, .malformed)
        waiter.resume(returning: status.isOK ? .success(models ?? []) : .failure(status))
    }

    func end(_ number: UInt64, _ failure: Status?) {
        guard let query = queries.removeValue(forKey: number) else { return }
        if let stream = query.stream { queriesByStream[stream] = nil }
        query.sink.finish(throwing: failure)
    }

    func failEverything(_ status: Status) {
        for number in queries.keys.sorted() { end(number, status) }
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
