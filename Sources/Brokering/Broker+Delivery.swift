internal import RecordTables
internal import ServingModel

extension Broker {
    /// The next thing to tell a stream, or nil once it has heard everything there is.
    ///
    /// Call it while the client's connection has room. After `end` the stream is forgotten. Nil also re-arms the
    /// stream: it is announced again with the next news.
    package mutating func nextDelivery(to stream: StreamKey) -> Delivery? {
        guard let seat = readers.place(of: stream) else { return nil }
        var reader = readers[place: seat]
        let place = reader.place
        let durable = durable
        let delivery = queries.withRecord(at: place) { $0.news(for: &reader, durable: durable) }
        switch delivery {
        case .end?, .givenUp?:
            remove(reader: stream)
            return delivery
        case nil:
            reader.isAnnounced = false
            queries[place: place].isAnnounced = false
        default: break
        }
        readers[place: seat] = reader
        return delivery
    }

    mutating func announce(_ stream: StreamKey) {
        guard let seat = readers.place(of: stream), !readers[place: seat].isAnnounced else { return }
        readers[place: seat].isAnnounced = true
        actions.append(.announce(stream))
    }

    mutating func announceReaders(of number: QueryNumber) {
        if let place = queries.place(of: number) { announceReaders(at: place) }
    }

    /// - Parameter place: of a query's record.
    mutating func announceReaders(at place: Int) {
        guard !queries[place: place].isAnnounced else { return }
        queries[place: place].isAnnounced = true
        for stream in queries[place: place].readers { announce(stream) }
    }
}

extension QueryRecord {
    /// Text in one delivery, in bytes: what fits one message comfortably.
    private static let deliveryBytes = 64 << 10

    /// The next thing to tell a reader; nil if there is nothing, or nothing before the journal has more of it.
    ///
    /// - Parameter durable: how many records the journal has.
    borrowing func news(for reader: inout Reader, durable: UInt64) -> Delivery? {
        guard max(acceptRecord, resetRecord) <= durable else { return nil }
        if reader.hearsEndOnly {
            guard case .ended(let status) = state, endRecord <= durable else { return nil }
            return .givenUp(id, status)
        }
        if !reader.wasToldAccepted {
            reader.wasToldAccepted = true
            return .accepted(id, durability, isDuplicate: reader.isDuplicate)
        }
        if reader.owesReset {
            reader.owesReset = false
            return .reset(firstIndex: reader.cursor)
        }
        if reader.attemptTold < startedAttempt {
            reader.attemptTold = startedAttempt
            return .started(
                worker: workerName,
                attempt: startedAttempt,
                predictedTimeToFirstToken: predictedTimeToFirstToken
            )
        }
        let bound = checkpoint(after: reader.cursor) ?? .max
        if let chunk = output.chunk(from: reader.cursor, limit: Self.deliveryBytes, upTo: bound) {
            reader.cursor = chunk.firstIndex + chunk.count
            return .tokens(firstIndex: chunk.firstIndex, count: chunk.count, ids: chunk.ids, text: chunk.text)
        }
        // A client that has heard of the end may forget the query; so must the journal not.
        guard case .ended(let status) = state, endRecord <= durable else { return nil }
        if let finish = finish, status.isOK, !reader.wasToldFinished {
            reader.wasToldFinished = true
            return .finished(finish, inputTokens: inputTokens ?? 0, outputTokens: output.count)
        }
        return .end(status)
    }
}
