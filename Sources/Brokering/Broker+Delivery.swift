internal import ServingModel

extension Broker {
    /// Text in one delivery, in bytes: what fits one message comfortably.
    private static let deliveryBytes = 64 << 10

    /// The next thing to tell a stream, or nil once it has heard everything there is.
    ///
    /// Call it while the client's connection has room. After `end` the stream is forgotten. Nil also re-arms the
    /// stream: it is announced again with the next news.
    package mutating func nextDelivery(to stream: StreamKey) -> Delivery? {
        guard var reader = readers[stream], let record = queries[reader.query] else { return nil }
        let delivery = max(record.acceptRecord, record.resetRecord) <= durable ? advance(&reader, over: record) : nil
        if case .end? = delivery {
            remove(reader: stream)
        } else {
            if delivery == nil { reader.isAnnounced = false }
            readers[stream] = reader
        }
        return delivery
    }

    private func advance(_ reader: inout Reader, over record: QueryRecord) -> Delivery? {
        if !reader.wasToldAccepted {
            reader.wasToldAccepted = true
            return .accepted(record.id, record.durability, isDuplicate: reader.isDuplicate)
        }
        if let index = reader.pendingReset {
            reader.pendingReset = nil
            return .reset(firstIndex: index)
        }
        if reader.attemptTold < record.startedAttempt {
            reader.attemptTold = record.startedAttempt
            return .started(
                worker: record.workerName,
                attempt: record.startedAttempt,
                predictedTimeToFirstToken: record.predictedTimeToFirstToken
            )
        }
        let bound = record.checkpoint(after: reader.cursor) ?? .max
        if let chunk = record.output.chunk(from: reader.cursor, limit: Self.deliveryBytes, upTo: bound) {
            reader.cursor = chunk.firstIndex + chunk.count
            return .tokens(firstIndex: chunk.firstIndex, count: chunk.count, ids: chunk.ids, text: chunk.text)
        }
        // A client that has heard of the end may forget the query; so must the journal not.
        guard case .ended(let status) = record.state, record.endRecord <= durable else { return nil }
        if let finish = record.finish, status.isOK, !reader.wasToldFinished {
            reader.wasToldFinished = true
            return .finished(finish, inputTokens: record.inputTokens ?? 0, outputTokens: record.output.count)
        }
        return .end(status)
    }

    mutating func announce(_ stream: StreamKey) {
        guard readers[stream]?.isAnnounced == false else { return }
        readers[stream]?.isAnnounced = true
        actions.append(.announce(stream))
    }

    mutating func announceReaders(of number: QueryNumber) {
        for stream in queries[number]?.readers ?? [] { announce(stream) }
    }
}
