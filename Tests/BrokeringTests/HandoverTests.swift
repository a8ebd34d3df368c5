import Brokering
import ServingModel
import Testing

@Suite("Queries whose KV cache moves from worker to worker")
struct HandoverTests {
    /// A prefill worker 1 and a decode worker 2, unless told otherwise.
    private func rig(
        _ workers: [(id: UInt64, role: WorkerRole, exchange: String)] = [(1, .prefill, "x"), (2, .decode, "x")],
        journaled recovery: Recovery? = nil
    ) -> BrokerRig {
        var rig = BrokerRig(journaled: recovery)
        for worker in workers { rig.join(worker.id, role: worker.role, exchange: worker.exchange) }
        return rig
    }

    /// Takes a query to the point where its KV cache is left.
    private func handOver(_ rig: inout BrokerRig, _ stream: StreamKey) throws -> Lease {
        let first = try #require(rig.dispatched().first)
        #expect(first.handsOver && first.kvCache.isEmpty)
        rig.step(1, .tokens(first.lease, from: 0))
        rig.step(1, .left(first.lease))
        return first.lease
    }

    @Test("Without a scheduler, too, the prompt goes to the one and the rest to the other, in one attempt")
    func moves() throws {
        var rig = rig()
        let stream = try rig.submit()
        let first = try handOver(&rig, stream)
        #expect(try rig.record(stream).state == .queued)
        let second = try #require(rig.dispatched().first)
        #expect(second.lease > first && second.attempt == 1 && second.resumedTokens == [0])
        #expect(second.kvCache == "k" && !second.handsOver)
        rig.step(2, .tokens(second.lease, from: 1, count: 2, finish: .stop))
        #expect(
            rig.read(stream) == [
                .accepted(try rig.id(stream), .volatile, isDuplicate: false),
                .started(worker: "w2", attempt: 1, predictedTimeToFirstToken: nil), .tokens(from: 0, count: 3),
                .finished(.stop, inputTokens: 3, outputTokens: 3), .end(.ok),
            ]
        )
        let explanation = try rig.broker.explanation(of: rig.id(stream), at: rig.now)
        #expect(explanation.attempts.map(\.phase) == [.prefill, .decode])
        #expect(explanation.attempts.map(\.workerName) == ["w1", "w2"])
        #expect(rig.broker.model("m")?.retried == 0)
        #expect(rig.broker.model("m")?.figures.handovers == 1)
        #expect(rig.broker.model("m")?.figures.leases(that: .moved) == 1)
    }

    @Test("The journal hears of one attempt")
    func journaled() throws {
        var rig = rig(journaled: Recovery(epoch: 1))
        var image = JournalImage()
        _ = image.open()
        let stream = try rig.submit { $0.durability = .accept }
        func write() throws -> [Assignment] {
            let actions = rig.act()
            for record in actions.records { try image.apply(record) }
            rig.broker.journaled(through: rig.broker.written, at: rig.now)
            return actions.flatMap(\.assignments)
        }
        let first = try #require(try write().first)
        rig.step(1, .tokens(first.lease, from: 0))
        rig.step(1, .left(first.lease))
        let second = try #require(try write().first)
        rig.step(2, .failure(second.lease, Status(.aborted, .handoverFailed, "gone")))
        // The next attempt follows when it is written down.
        #expect(try write().isEmpty)
        let third = try #require(try write().first)
        #expect(third.attempt == 2 && !third.handsOver)
        rig.step(1, .tokens(third.lease, from: 1, finish: .stop))
        _ = try write()
        #expect(try rig.record(stream).endStatus == .ok)
    }

    @Test("What is short, chosen or has nobody to go to stays where it is")
    func stays() throws {
        var rig = rig()
        _ = try rig.submit { $0.maxTokens = 1 }
        _ = try rig.submit { $0.worker = WorkerID(rawValue: 1) }
        #expect(rig.dispatched().allSatisfy { !$0.handsOver })
        for others: [(UInt64, WorkerRole, String)] in [
            [], [(2, .decode, "y")], [(2, .decode, "")], [(2, .prefill, "x")],
        ] {
            rig = self.rig([(1, .prefill, "x")] + others)
            _ = try rig.submit()
            #expect(rig.dispatched().first?.handsOver == false)
        }
    }

    @Test("A KV cache that does not arrive costs no attempt, and the query is not moved again")
    func cacheIsGone() throws {
        var rig = rig()
        let stream = try rig.submit()
        _ = try handOver(&rig, stream)
        let second = try #require(rig.dispatched().first)
        rig.step(2, .failure(second.lease, Status(.aborted, .handoverFailed, "gone")))
        let third = try #require(rig.dispatched().first)
        #expect(third.attempt == 2 && third.resumedTokens == [0] && !third.handsOver && third.kvCache.isEmpty)
        #expect(try rig.record(stream).attempts.map(\.workerName) == ["w1", "w2", "w1"])
        rig.step(1, .failure(third.lease, Status(.internalError, .engineFailed, "x")))
        rig.tick(after: .seconds(3))
        let fourth = try #require(rig.dispatched().first)
        #expect(fourth.attempt == 3)
        // The other worker, since it has just failed on this one.
        rig.step(2, .tokens(fourth.lease, from: 1, finish: .stop))
        #expect(rig.read(stream).suffix(2) == [.finished(.stop, inputTokens: 3, outputTokens: 2), .end(.ok)])
        #expect(rig.broker.model("m")?.figures.failedHandovers == 1)
    }

    @Test("A decode worker that is lost costs what any worker's loss does, and the query may move again")
    func decodeWorkerLost() throws {
        var rig = rig()
        let stream = try rig.submit()
        _ = try handOver(&rig, stream)
        let second = try #require(rig.dispatched().first)
        rig.step(2, .tokens(second.lease, from: 1, count: 3))
        rig.lose(2)
        rig.join(3, role: .decode, exchange: "x")
        let third = try #require(rig.dispatched().first)
        #expect(third.resumedTokens == [0, 1, 2, 3] && third.handsOver && third.attempt == 2)
        rig.step(1, .tokens(third.lease, from: 4))
        rig.step(1, .left(third.lease))
        let fourth = try #require(rig.dispatched().first)
        #expect(fourth.kvCache == "k" && fourth.resumedTokens.count == 5)
        rig.step(3, .tokens(fourth.lease, from: 5, finish: .stop))
        #expect(rig.read(stream).last == .end(.ok))
    }

    @Test("A decode worker that leaves before it has pulled leaves the KV cache to the next")
    func decodeWorkerDrains() throws {
        var rig = rig([(1, .prefill, "x"), (2, .decode, "x"), (3, .decode, "x")])
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        let number = try rig.record(stream).number
        rig.place(number, on: 1)
        _ = try handOver(&rig, stream)
        rig.place(number, on: 2)
        rig.broker.workerDrains(WorkerID(rawValue: 2), at: rig.now)
        rig.place(number, on: 3)
        #expect(rig.dispatched().map(\.kvCache) == ["k"])
    }

    @Test("The prefill worker's loss afterwards changes nothing")
    func prefillWorkerLost() throws {
        var rig = rig()
        let stream = try rig.submit()
        _ = try handOver(&rig, stream)
        rig.lose(1)
        #expect(rig.dispatched().first?.kvCache == "k")
        #expect(rig.broker.model("m")?.retried == 0)
        _ = try rig.record(stream)
    }

    @Test("Nobody's cache is dropped where it lies; one that was sent for is not")
    func dropped() throws {
        var rig = rig([(1, .prefill, "x"), (2, .decode, "x")])
        rig.broker.schedulerAttached(at: rig.now)
        var streams: [StreamKey] = []
        for _ in 0..<2 {
            let stream = try rig.submit()
            streams.append(stream)
            rig.place(try rig.record(stream).number, on: 1)
        }
        let leases = rig.dispatched().map(\.lease)
        for lease in leases {
            rig.step(1, .tokens(lease, from: 0))
            rig.step(1, .left(lease))
        }
        rig.place(try rig.record(streams[1]).number, on: 2)
        let second = try #require(rig.dispatched().first).lease
        for stream in streams { _ = rig.cancel(stream) }
        #expect(Set(rig.act().flatMap(\.revoked)) == [leases[0], second])
    }

    @Test("A worker with another exchange is not given the cache; it computes the query, and nobody moves it again")
    func otherExchange() throws {
        var rig = rig([(1, .prefill, "x"), (2, .decode, "x"), (3, .prefill, "y"), (4, .decode, "y")])
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        let number = try rig.record(stream).number
        rig.place(number, on: 1)
        let first = try handOver(&rig, stream)
        rig.place(number, on: 3)
        let actions = rig.act()
        let second = try #require(actions.flatMap(\.assignments).first)
        #expect(!second.handsOver && second.kvCache.isEmpty && second.resumedTokens == [0])
        #expect(actions.flatMap(\.revoked) == [first])
        rig.step(3, .tokens(second.lease, from: 1, finish: .stop))
        #expect(rig.read(stream).last == .end(.ok))
    }

    @Test("The scheduler hears of it as of a query that needs no prefill")
    func told() throws {
        var rig = rig()
        rig.broker.schedulerAttached(at: rig.now)
        let stream = try rig.submit()
        let number = try rig.record(stream).number
        rig.place(number, on: 1)
        let first = try #require(rig.dispatched().first)
        rig.step(1, .tokens(first.lease, from: 0))
        rig.now = rig.now + .milliseconds(7)
        rig.step(1, .left(first.lease))
        let queued = rig.act().compactMap(\.event).compactMap { event in
            if case .queryQueued(let query) = event { query } else { nil }
        }
        #expect(queued.count == 1)
        #expect(queued.first?.handover == .init(exchange: "x", firstTokenAge: .milliseconds(7)))
        #expect(queued.first?.inputTokens == 3 && queued.first?.outputTokens == 1)
        // And so does one that comes later.
        rig.broker.schedulerAttached(at: rig.now)
        let snapshot = rig.act().compactMap(\.event).contains { event in
            if case .queryQueued(let query) = event { query.handover != nil } else { false }
        }
        #expect(snapshot)
    }

    @Test("A worker that leaves a cache without being asked has failed the attempt")
    func unasked() throws {
        var rig = rig([(1, .both, "x"), (2, .decode, "x")])
        let stream = try rig.submit()
        let first = try #require(rig.dispatched().first)
        #expect(!first.handsOver)
        rig.step(1, .tokens(first.lease, from: 0))
        rig.step(1, .left(first.lease), .left(first.lease))
        let second = try #require(rig.dispatched().first)
        #expect(second.attempt == 2 && second.resumedTokens == [0] && second.kvCache.isEmpty)
        #expect(rig.broker.model("m")?.figures.handovers == 0)
        #expect(try !rig.record(stream).hasEnded)
    }

    @Test("One cache is told of once, however often its worker says so")
    func repeated() throws {
        var rig = rig()
        _ = try rig.submit()
        let first = try #require(rig.dispatched().first)
        rig.step(1, .tokens(first.lease, from: 0))
        rig.step(1, .left(first.lease), .left(first.lease))
        rig.step(1, .left(first.lease))
        #expect(rig.dispatched().map(\.kvCache) == ["k"])
        #expect(rig.broker.model("m")?.figures.handovers == 1)
    }
}
