import Brokering
import ServingModel
import Testing

@Suite("What a journal's records amount to")
struct JournalImageTests {
    private let one = QueryNumber(rawValue: 1)

    private func accepted(_ number: UInt64, key: String? = nil) -> JournalRecord {
        .accepted(
            AcceptedQuery(
                number: QueryNumber(rawValue: number),
                id: QueryID(high: 1, low: number),
                durability: .stream,
                owner: "ada",
                idempotencyKey: key,
                model: "m",
                promptBytes: 4,
                maxTokens: 9,
                arrival: UnixTime(milliseconds: 5),
                request: [1, 2]
            )
        )
    }

    private func image(_ records: JournalRecord...) throws -> JournalImage {
        var image = JournalImage()
        for record in records { try image.apply(record) }
        return image
    }

    private func part(_ first: Int, _ ids: [Int32]) -> OutputPart {
        OutputPart(firstIndex: first, count: ids.count, ids: ids, text: ids.map { UInt8($0) })
    }

    private let failure = FailedAttempt(
        attempt: 1,
        worker: "w",
        at: UnixTime(milliseconds: 7),
        code: .unavailable,
        reason: .workerLost,
        message: "lost",
        outputTokens: 2
    )

    private func end(at milliseconds: Int64 = 9) -> QueryEnd {
        QueryEnd(at: UnixTime(milliseconds: milliseconds), code: .ok, output: part(0, [1, 2]))
    }

    @Test("An unfinished query comes back with its attempts, failures and checkpoints")
    func unfinished() throws {
        var image = try image(
            accepted(1),
            .leased(one, attempt: 1, Lease(rawValue: 1)),
            .checkpoint(one, part(0, [1, 2])),
            .retried(one, attempt: 2, failure),
            .checkpoint(one, part(2, [3])),
            .leased(one, attempt: 2, Lease(rawValue: 2))
        )
        let recovery = image.open()
        let query = try #require(recovery.queries.first)
        #expect(recovery.queries.count == 1 && recovery.epoch == 1 && recovery.nextNumber.rawValue == 2)
        #expect(recovery.models == ["m"])
        #expect(query.attempt == 2 && query.wasLeased && query.failures == [failure] && query.restarts == 0)
        var whole = part(0, [1, 2, 3])
        whole.pieces = [.init(tokens: 2, bytes: 2), .init(tokens: 1, bytes: 1)]
        #expect(query.output == whole)
        #expect(image.open().epoch == 2, "every opening is another epoch")
    }

    @Test("A reset voids the checkpoints, and a restart is counted")
    func resetAndRestart() throws {
        var image = try image(
            accepted(1),
            .checkpoint(one, part(0, [1])),
            .resumed(one, attempt: 2, restarts: 1),
            .reset(one)
        )
        let query = try #require(image.open().queries.first)
        #expect(query.output == nil && query.restarts == 1 && query.attempt == 2 && !query.wasLeased)
    }

    @Test("An ended query is found by identifier and name until it is acknowledged or too old")
    func results() throws {
        var image = try image(
            accepted(1, key: "k"),
            .ended(one, end()),
            accepted(2),
            .retried(
                QueryNumber(rawValue: 2),
                attempt: 2,
                failure
            ),
            .ended(QueryNumber(rawValue: 2), end(at: 20))
        )
        let key = IdempotencyKey(owner: "ada", key: "k")
        let kept = try #require(image.find(.key(key)))
        #expect(kept.end == end() && kept.accepted.request.isEmpty && kept == image.find(.query(kept.accepted.id)))
        #expect(image.find(.query(QueryID(high: 1, low: 2)))?.failures == [failure])
        #expect(image.find(.key(IdempotencyKey(owner: "grace", key: "k"))) == nil)
        #expect(image.open().keys == [key.fingerprint] && image.open().queries.isEmpty)
        image.forget(endedBefore: UnixTime(milliseconds: 10))
        #expect(image.find(.key(key)) == nil && image.contains(QueryID(high: 1, low: 2)))
        try image.apply(.acknowledged(QueryNumber(rawValue: 2)))
        try image.apply(.acknowledged(QueryNumber(rawValue: 2)))
        #expect(!image.contains(QueryID(high: 1, low: 2)))
        #expect(image.open().nextNumber.rawValue == 3, "numbers are never used again")
    }

    @Test("Records that cannot follow those before are refused, and change nothing")
    func contradictions() throws {
        let lease = JournalRecord.leased(one, attempt: 1, Lease(rawValue: 4))
        let wrong: [(JournalImage.Contradiction.Kind, [JournalRecord])] = [
            (.unknownQuery, [lease]),
            (.unknownQuery, [.acknowledged(one)]),
            (.acceptedTwice, [accepted(1), accepted(1)]),
            (.keyInUse, [accepted(1, key: "k"), accepted(2, key: "k")]),
            (.afterTheEnd, [accepted(1), .ended(one, end()), .ended(one, end())]),
            (.outOfOrder, [accepted(1), lease, lease]),
            (.outOfOrder, [accepted(1), .retried(one, attempt: 1, failure)]),
            (.outOfOrder, [accepted(1), .checkpoint(one, part(1, [1]))]),
        ]
        for (kind, records) in wrong {
            var image = JournalImage()
            for record in records.dropLast() { try image.apply(record) }
            let before = image
            let last = try #require(records.last)
            let refusal = #expect(throws: JournalImage.Contradiction.self) { try image.apply(last) }
            #expect(refusal?.kind == kind && image == before)
        }
    }
}
