import Brokering
import ServingModel
import Testing

extension ClusterScenario {
    mutating func newStream() -> StreamKey {
        nextStream += 1
        return StreamKey(
            session: SessionID(rawValue: UInt64.random(in: 1...3, using: &generator)),
            stream: nextStream
        )
    }

    mutating func submit() {
        let stream = newStream()
        let id = QueryID(high: 1, low: stream.stream)
        var submission = Submission(
            model: chance(50) ? "" : "m",
            inputTokens: nil,
            promptBytes: 9,
            maxTokens: Int.random(in: 1...12, using: &generator),
            request: []
        )
        if chance(25) { submission.timeout = .milliseconds(Int64.random(in: 1...600, using: &generator)) }
        let live = broker.liveQueries
        do {
            try broker.submit(submission, id: id, from: stream, at: now)
        } catch {
            count("refused")
            #expect(broker.liveQueries == live && broker.query(id) == nil, "a refusal changes nothing")
            return
        }
        queries[id] = Query(maxTokens: submission.maxTokens)
        queryOrder.append(id)
        calls[stream] = Call(query: id, cursor: 0)
        openCalls.append(stream)
    }

    mutating func attach() {
        guard let id = queryOrder.suffix(30).randomElement(using: &generator), let query = queries[id] else { return }
        let stream = newStream()
        let index = Int.random(in: 0...query.texts.count, using: &generator)
        guard (try? broker.attach(Attachment(query: id, firstIndex: index), by: stream)) != nil else { return }
        count("attached")
        calls[stream] = Call(query: id, cursor: index)
        openCalls.append(stream)
    }

    mutating func cancel() {
        guard let stream = openCalls.randomElement(using: &generator) else { return }
        close(stream)
        #expect(broker.cancel(stream, at: now) == true)
        endIfUnread(stream)
    }

    mutating func endSession() {
        let session = SessionID(rawValue: UInt64.random(in: 1...3, using: &generator))
        let streams = openCalls.filter { $0.session == session }
        for stream in streams { close(stream) }
        broker.sessionEnded(session, at: now)
        for stream in streams { endIfUnread(stream) }
    }

    private mutating func close(_ stream: StreamKey) {
        openCalls.removeAll { $0 == stream }
    }

    private mutating func endIfUnread(_ stream: StreamKey) {
        guard let id = calls[stream]?.query, !openCalls.contains(where: { calls[$0]?.query == id }) else { return }
        end(id)
        #expect(broker.query(id)?.hasEnded ?? true, "nobody reads it, so nobody computes it")
        calls[stream]?.end = Status(.cancelled)
    }

    /// Notes an end that the scenario knows to have happened.
    mutating func end(_ id: QueryID) {
        queries[id]?.hasEnded = true
        queries[id]?.lease = nil
    }

    mutating func read(limit: Int) {
        guard let stream = openCalls.filter(announced.contains).randomElement(using: &generator) else { return }
        read(stream, limit: limit)
    }

    mutating func read(_ stream: StreamKey, limit: Int) {
        for _ in 0..<limit {
            guard let delivery = broker.nextDelivery(to: stream) else {
                announced.remove(stream)
                return
            }
            guard var call = calls[stream], let query = queries[call.query] else { return }
            check(delivery, &call, query)
            calls[stream] = call
            guard call.end == nil else {
                close(stream)
                end(call.query)
                let more = broker.nextDelivery(to: stream)
                #expect(more == nil, "nothing comes after the end")
                return
            }
        }
    }

    private mutating func check(_ delivery: Delivery, _ call: inout Call, _ query: Query) {
        #expect(call.end == nil, "nothing comes after the end")
        #expect(
            call.wasAccepted || delivery == .accepted(call.query, .volatile, isDuplicate: false),
            "acceptance comes first"
        )
        switch delivery {
        case .accepted:
            #expect(!call.wasAccepted, "acceptance comes once")
            call.wasAccepted = true
        case .started(_, let attempt, _):
            #expect(attempt > call.attempts, "attempts increase")
            call.attempts = attempt
        case .reset(let index):
            #expect(index <= call.cursor)
            call.cursor = index
            call.isFirst = true
            count("told to start over")
        case .tokens(let first, let count, let ids, let text):
            let end = first + count
            #expect(count > 0 && end <= query.texts.count, "only what counted is told")
            let follows = call.isFirst ? first <= call.cursor && end > call.cursor : first == call.cursor
            #expect(follows, "no gap, no repeat")
            guard end <= query.texts.count else { return }
            #expect(text == query.texts[first..<end].joined(), "exactly what was sent")
            #expect(ids.isEmpty || ids == query.texts[first..<end].map(Self.identifier))
            #expect(ids.isEmpty == query.hasUnknownIDs)
            call.cursor = end
            call.isFirst = false
        case .finished(_, _, let tokens):
            #expect(!call.wasFinished && tokens == query.texts.count && call.cursor >= tokens, "all was told")
            call.wasFinished = true
        case .end(let status):
            #expect(status.isOK == call.wasFinished, "success and only success is finished")
            #expect(call.cursor >= query.texts.count, "all was told")
            call.end = status
            self.count("ended \(status.code)")
        case .givenUp:
            Issue.record("what is not written down ends at once")
        }
    }
}
