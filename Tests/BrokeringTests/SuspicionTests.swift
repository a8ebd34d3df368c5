import Brokering
import ServingModel
import Testing

@Suite("Which query a worker was lost with is to blame")
struct SuspicionTests {
    /// A worker was lost with all of `count` queries, the first of which may do it again; none had a token.
    private func afterLoss(of count: Int) throws -> (rig: BrokerRig, streams: [StreamKey]) {
        var rig = BrokerRig()
        rig.join(1)
        let streams = try (0..<count).map { _ in try rig.submit() }
        #expect(rig.dispatched().count == count)
        rig.lose(1)
        return (rig, streams)
    }

    private func suspects(_ rig: BrokerRig, _ stream: StreamKey) throws -> [Int] {
        try rig.record(stream).failures.map(\.suspects)
    }

    @Test("One that kills workers among others is found with the third, and no other is harmed")
    func killer() throws {
        var (rig, streams) = try afterLoss(of: 4)
        for stream in streams { #expect(try suspects(rig, stream) == [4]) }
        // The second worker gets one suspect, and dies of it: nothing else there can be why.
        rig.join(2)
        #expect(rig.dispatched().map(\.id) == [try rig.id(streams[0])])
        rig.lose(2)
        #expect(try suspects(rig, streams[0]) == [4, 1])
        #expect(try suspects(rig, streams[1]) == [4], "those that were held back lost nothing")
        // The others prove themselves one after the other while it rests.
        rig.join(3)
        for stream in streams.dropFirst() {
            let assignments = rig.dispatched()
            #expect(assignments.map(\.id) == [try rig.id(stream)])
            rig.step(3, .tokens(try #require(assignments.first).lease, from: 0))
        }
        rig.tick(after: .seconds(2))
        #expect(rig.dispatched().map(\.id) == [try rig.id(streams[0])])
        rig.lose(3)
        #expect(try rig.record(streams[0]).endStatus?.reason == .poisonous)
        #expect(try suspects(rig, streams[0]) == [4, 1, 1])
        for stream in streams.dropFirst() { #expect(try !rig.record(stream).hasEnded) }
    }

    @Test("One that two workers were lost with, but once among others, is not given up for it")
    func innocent() throws {
        var (rig, streams) = try afterLoss(of: 2)
        rig.join(2)
        #expect(rig.dispatched().count == 1)
        rig.lose(2)
        #expect(try !rig.record(streams[0]).hasEnded)
        rig.tick(after: .seconds(2))
        rig.join(3)
        _ = rig.dispatched()
        #expect(try rig.record(streams[1]).state != .queued)
    }

    @Test("Whoever is above suspicion goes past one that is held back")
    func passing() throws {
        var (rig, streams) = try afterLoss(of: 2)
        rig.join(2)
        let fresh = try rig.submit()
        #expect(rig.dispatched().map(\.id) == [try rig.id(streams[0]), try rig.id(fresh)])
        // The held back one goes when the other has ended, too.
        let wasOpen = rig.cancel(streams[0])
        #expect(wasOpen)
        rig.tick()
        #expect(rig.dispatched().map(\.id) == [try rig.id(streams[1])])
    }

    @Test("One that is held back can end, and is dispatched no more")
    func ending() throws {
        var (rig, streams) = try afterLoss(of: 2)
        rig.join(2)
        #expect(rig.dispatched().count == 1)
        let wasOpen = rig.cancel(streams[1])
        #expect(wasOpen)
        rig.tick(after: .seconds(20))
        #expect(rig.dispatched().isEmpty)
    }

    @Test("After ten seconds it is dispatched in spite of that, and the blame is shared")
    func patience() throws {
        var (rig, streams) = try afterLoss(of: 2)
        rig.join(2)
        #expect(rig.dispatched().count == 1)
        rig.tick(after: .seconds(9))
        #expect(rig.dispatched().isEmpty)
        rig.tick(after: .seconds(1))
        #expect(rig.dispatched().count == 1)
        rig.lose(2)
        for stream in streams { #expect(try suspects(rig, stream) == [2, 2]) }
    }

    @Test("A later broker holds against a query what an earlier one found")
    func recovery() throws {
        func recovered(_ number: UInt64, suspects: [Int]) -> RecoveredQuery {
            var query = RecoveredQuery(accepted: .sample(number), attempt: suspects.count + 1)
            query.failures = suspects.enumerated().map { index, suspects in
                FailedAttempt(
                    attempt: index + 1,
                    worker: "w",
                    at: UnixTime(milliseconds: 500),
                    code: .unavailable,
                    reason: .workerLost,
                    message: "its worker was lost",
                    outputTokens: 0,
                    suspects: suspects
                )
            }
            return query
        }
        let queries = [recovered(1, suspects: [4, 1]), recovered(2, suspects: [1, 1])]
        let rig = BrokerRig(journaled: Recovery(nextNumber: QueryNumber(rawValue: 3), queries: queries))
        #expect(rig.broker.query(QueryID(high: 9, low: 1))?.hasEnded == false)
        #expect(rig.broker.query(QueryID(high: 9, low: 2))?.endStatus?.reason == .poisonous)
    }
}
