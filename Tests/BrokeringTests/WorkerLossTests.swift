import Brokering
import ServingModel
import Testing

@Suite("Workers that fail, leave or misbehave")
struct WorkerLossTests {
    @Test("A query whose worker is lost continues elsewhere, without a gap or a repetition")
    func resumes() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let first = try #require(rig.dispatched().first).lease
        rig.step(1, .tokens(first, from: 0, count: 3))
        _ = rig.read(stream)
        rig.lose(1)
        rig.join(2)
        let second = try #require(rig.dispatched().first)
        #expect(second.lease > first && second.attempt == 2 && second.resumedTokens == [0, 1, 2])
        rig.step(2, .tokens(second.lease, from: 3, finish: .stop))
        #expect(
            rig.read(stream) == [
                .started(worker: "w2", attempt: 2, predictedTimeToFirstToken: nil), .tokens(from: 3, count: 1),
                .finished(.stop, inputTokens: 3, outputTokens: 4), .end(.ok),
            ]
        )
        #expect(rig.broker.model("m")?.retried == 1)
    }

    @Test("Readers are told to start over if the next worker cannot resume, or the tokens are not known")
    func resets() throws {
        for (resumes, hasIDs) in [(false, true), (true, false)] {
            var rig = BrokerRig()
            rig.join(1)
            let stream = try rig.submit()
            let first = try #require(rig.dispatched().first).lease
            _ = rig.read(stream)
            rig.step(1, .tokens(first, from: 0, count: 3, hasIDs: hasIDs))
            let late = try rig.attach(to: stream)
            #expect(rig.read(stream) == [.tokens(from: 0, count: 3, hasIDs: hasIDs)])
            rig.lose(1)
            rig.join(2, resumesPrefix: resumes)
            let second = try #require(rig.dispatched().first)
            #expect(second.resumedTokens.isEmpty)
            rig.step(2, .tokens(second.lease, from: 0, count: 2, finish: .length))
            #expect(
                rig.read(stream) == [
                    .reset(firstIndex: 0), .started(worker: "w2", attempt: 2, predictedTimeToFirstToken: nil),
                    .tokens(from: 0, count: 2), .finished(.length, inputTokens: 3, outputTokens: 2), .end(.ok),
                ]
            )
            // Whoever had read nothing has nothing to forget.
            #expect(!rig.read(late).contains(.reset(firstIndex: 0)))
        }
    }

    @Test("A query that failed on a worker is tried on another first, and the scheduler hears on which")
    func elsewhere() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 100)
        rig.join(2, granted: 10)
        let stream = try rig.submit()
        let first = try #require(rig.dispatched().first)
        rig.step(1, .failure(first.lease, Status(.internalError, .engineFailed, "x")))
        #expect(try rig.record(stream).state == .queued)
        let retry = rig.act()
        let second = try #require(retry.flatMap(\.assignments).first)
        #expect(try rig.record(stream).workerName == "w2")
        rig.step(2, .failure(second.lease, Status(.internalError, .engineFailed, "x")))
        rig.broker.schedulerAttached(at: rig.now)
        _ = rig.act()
        rig.tick(after: .seconds(3))
        let queued = rig.act().compactMap(\.event).compactMap { event in
            if case .queryQueued(let query) = event { query.failedOn } else { nil }
        }
        #expect(queued == [WorkerID(rawValue: 2)])
    }

    @Test("Attempts are bounded")
    func attemptsExhausted() throws {
        var rig = BrokerRig()
        let stream = try {
            rig.join(1)
            return try rig.submit()
        }()
        for attempt in 1...3 {
            let assignment = try #require(rig.dispatched().first)
            #expect(assignment.attempt == attempt)
            rig.step(1, .failure(assignment.lease, Status(.internalError, .engineFailed, "x")))
            // The first repetition follows at once, the second after a pause of about a second.
            if attempt == 2 {
                rig.tick(after: .milliseconds(799))
                #expect(rig.dispatched().isEmpty)
                rig.tick(after: .milliseconds(402))
            }
        }
        let status = try #require(rig.read(stream).last?.endStatus)
        #expect(status.code == .unavailable && status.reason == .attemptsExhausted)
        #expect(rig.broker.model("m")?.failed == 1)
    }

    @Test("A query that two workers were lost with and that gets no further is given up", arguments: [0, 1])
    func poison(tokens: Int) throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        for worker: UInt64 in 1...2 {
            if worker > 1 { rig.join(worker) }
            let lease = try #require(rig.dispatched().first).lease
            // On the first worker a token; it dies at the same place the second time.
            if worker == 1, tokens > 0 { rig.step(worker, .tokens(lease, from: 0)) }
            rig.lose(worker)
        }
        let record = try rig.record(stream)
        #expect(rig.read(stream).last?.endStatus?.reason == .poisonous)
        #expect(record.failures.map(\.attempt) == [1, 2])
        #expect(record.failures.allSatisfy { $0.reason == .workerLost })
    }

    @Test("A query that got further meanwhile, or was only waiting there, is not blamed for its workers")
    func bystanders() throws {
        var rig = BrokerRig()
        rig.join(1)
        let running = try rig.submit()
        let first = try #require(rig.dispatched().first)
        let waiting = try rig.submit()
        #expect(rig.dispatched().count == 1)
        rig.step(1, waiting: 1, .tokens(first.lease, from: 0))
        rig.lose(1)
        rig.join(2)
        let again = rig.dispatched()
        #expect(again.count == 2)
        rig.step(2, waiting: 1, .tokens(again[0].lease, from: 1))
        rig.lose(2)
        rig.tick(after: .seconds(2))
        rig.join(3)
        #expect(rig.dispatched().map(\.attempt) == [3, 3])
        for stream in [running, waiting] { #expect(try !rig.record(stream).hasEnded) }
    }

    @Test("Workers that leave in good order before a query is done cost it no attempt")
    func leaving() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        for worker: UInt64 in 1...5 {
            if worker > 1 { rig.join(worker) }
            rig.tick(after: .seconds(60))
            #expect(rig.dispatched().map(\.attempt) == [Int(worker)])
            rig.broker.workerDrains(WorkerID(rawValue: worker), at: rig.now)
            rig.lose(worker)
        }
        let record = try rig.record(stream)
        #expect(!record.hasEnded)
        #expect(record.failures.allSatisfy { $0.reason == .shuttingDown })
    }

    @Test("An engine's failure is tried elsewhere, the query's own fault is not")
    func failures() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let first = try #require(rig.dispatched().first).lease
        rig.step(1, .failure(first, Status(.internalError, .engineFailed, "x")))
        let second = try #require(rig.dispatched().first)
        #expect(second.attempt == 2)
        let fault = Status(.invalidArgument, .promptTooLong, "too long")
        rig.step(1, .failure(second.lease, fault))
        #expect(rig.read(stream).last == .end(fault))
        #expect(rig.broker.liveQueries == 0)
    }

    @Test("A query that has outgrown its worker goes on at a larger one; at the largest its answer ends")
    func outgrown() throws {
        let outgrown = Status(.outOfRange, .outOfMemory, "x")
        for otherTokens in [10_000, 20_000] {
            var rig = BrokerRig()
            rig.join(1)
            let stream = try rig.submit()
            let first = try #require(rig.dispatched().first).lease
            rig.join(2, kvTokens: otherTokens)
            rig.step(1, .tokens(first, from: 0, count: 3))
            rig.step(1, .failure(first, outgrown))
            if otherTokens > 10_000 {
                let second = try #require(rig.dispatched().first)
                #expect(second.attempt == 2 && second.resumedTokens == [0, 1, 2])
            } else {
                #expect(rig.dispatched().isEmpty)
                let deliveries = rig.read(stream)
                #expect(deliveries.contains(.tokens(from: 0, count: 3)))
                #expect(deliveries.last == .end(.ok))
                #expect(try rig.record(stream).finish == .length)
                #expect(rig.broker.liveQueries == 0)
            }
        }
    }

    @Test("A failure that says it is none counts as a failure")
    func failureWithoutOne() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.step(1, .failure(lease, .ok))
        #expect(try !rig.record(stream).hasEnded)
        #expect(rig.dispatched().map(\.attempt) == [2])
    }

    @Test("What comes after a query's end in the same step is ignored")
    func endsOnce() throws {
        let failure = Status(.internalError, .engineFailed, "x")
        for isFailure in [false, true] {
            var rig = BrokerRig()
            rig.join(1)
            let stream = try rig.submit()
            let lease = try #require(rig.dispatched().first).lease
            rig.step(
                1,
                .tokens(lease, from: 0, finish: .stop),
                isFailure ? .failure(lease, failure) : .tokens(lease, from: 1, finish: .length)
            )
            #expect(
                rig.read(stream).suffix(3) == [
                    .tokens(from: 0, count: 1), .finished(.stop, inputTokens: 3, outputTokens: 1), .end(.ok),
                ]
            )
        }
        var rig = BrokerRig()
        rig.join(1)
        _ = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.step(1, .failure(lease, failure), .failure(lease, failure), .tokens(lease, from: 0, finish: .stop))
        #expect(rig.dispatched().map(\.attempt) == [2])
    }

    @Test("Tokens out of order, too many or wrongly identified fail the attempt and reach nobody")
    func badTokens() throws {
        var wrongIDs = LeaseReport.tokens(Lease(rawValue: 0), from: 1)
        wrongIDs.tokenIDs = [1, 2]
        for report in [
            LeaseReport.tokens(Lease(rawValue: 0), from: 2), .tokens(Lease(rawValue: 0), from: 0),
            .tokens(Lease(rawValue: 0), from: 1, count: 8), wrongIDs,
        ] {
            var rig = BrokerRig()
            rig.broker.schedulerAttached(at: rig.now)
            rig.broker.schedulerDetached(at: .zero)
            rig.join(1)
            let stream = try rig.submit()
            let lease = try #require(rig.dispatched().first).lease
            rig.step(1, .tokens(lease, from: 0))
            var report = report
            report.lease = lease
            rig.broker.schedulerAttached(at: rig.now)
            _ = rig.act()
            rig.step(1, report)
            let actions = rig.act()
            #expect(actions.flatMap(\.revoked) == [lease])
            for case .stepCompleted(let step)? in actions.map(\.event) { #expect(step.advanced.isEmpty) }
            #expect(try rig.record(stream).output.count == 1)
            #expect(try rig.record(stream).attempt == 2)
        }
    }

    @Test("Reports under another worker's lease and of unknown workers change nothing")
    func strangers() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.join(2)
        rig.step(2, .tokens(lease, from: 0))
        #expect(rig.act() == [.revoke(WorkerID(rawValue: 2), [lease])])
        rig.step(3, .tokens(lease, from: 0))
        #expect(rig.act().isEmpty)
        #expect(try rig.record(stream).output.count == 0)
    }

    @Test("A draining worker finishes what it has and gets nothing new; what it had not pulled goes elsewhere")
    func drains() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 1)
        let running = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.broker.schedulerAttached(at: rig.now)
        let waiting = try rig.submit()
        rig.broker.place(
            Placement(
                query: try rig.record(waiting).number,
                attempt: 1,
                worker: WorkerID(rawValue: 1),
                predictedTimeToFirstToken: nil
            ),
            at: rig.now
        )
        #expect(rig.dispatched().isEmpty)
        rig.broker.workerDrains(WorkerID(rawValue: 1), at: rig.now)
        rig.broker.workerDrains(WorkerID(rawValue: 1), at: rig.now)
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: 9)
        let events = rig.act().compactMap(\.event)
        #expect(events.filter { $0 == .workerLeft(WorkerID(rawValue: 1), isDraining: true) }.count == 1)
        #expect(try rig.record(waiting).state == .queued)
        #expect(try rig.record(waiting).attempt == 1)
        #expect(rig.broker.model("m")?.workers == 0)
        rig.step(1, .tokens(lease, from: 0, finish: .stop))
        #expect(rig.read(running).last == .end(.ok))
    }

    @Test("Grants are absolute totals, never taken back and never exceeded")
    func grants() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 2)
        for _ in 0..<6 { _ = try rig.submit() }
        let first = rig.dispatched()
        #expect(first.count == 2)
        for granted: UInt64 in [2, 1, 0] {
            rig.broker.workerPulled(WorkerID(rawValue: 1), granted: granted)
            #expect(rig.dispatched().isEmpty)
        }
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: 5)
        let second = rig.dispatched()
        #expect(second.count == 3)
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: .max)
        let leases = (first + second + rig.dispatched()).map(\.lease)
        #expect(leases.count == 6)
        #expect(zip(leases, leases.dropFirst()).allSatisfy { $0 < $1 })
        #expect(leases.allSatisfy { $0.rawValue >> 32 == 1 })
    }
}
