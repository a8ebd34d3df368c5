import ServingModel
import Testing

@testable import Brokering

@Suite("What is counted and measured of queries")
struct FigureTests {
    private func figures(_ rig: BrokerRig) throws -> ModelFigures {
        try #require(rig.broker.model("m")).figures
    }

    private func tenant(
        _ rig: BrokerRig,
        _ tenant: String,
        _ rank: ServiceClass.Rank = .standard,
        in name: String = "none"
    ) throws -> TenantFigures.Figures {
        let key = TenantFigures.Key(model: "m", tenant: tenant, serviceClass: ServiceClass(name: name, rank: rank))
        return try #require(rig.broker.tenants[key])
    }

    @Test("A completed query's wait, first token, pace and duration go to its class, its outcome to its tenant")
    func completed() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 0)
        _ = try rig.submit {
            $0.priority = 2
            $0.tenant = "acme"
            $0.objectiveClass = "fast"
        }
        rig.tick(after: .milliseconds(300))
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: 1)
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(200))
        rig.step(1, .tokens(lease, from: 0, count: 1))
        rig.tick(after: .milliseconds(40))
        rig.step(1, .tokens(lease, from: 1, count: 2, finish: .stop))
        let figures = try figures(rig)
        #expect(figures.queueWait.sum == 0.3 && figures.queueWait.count == 1)
        let row = try #require(figures.latencies.first { $0.key == ServiceClass(name: "fast", rank: .high) })
        let latencies = row.latencies
        #expect(latencies.timeToFirstToken.sum == 0.5 && latencies.timeToFirstToken.count == 1)
        #expect(latencies.averageTokenTime.sum == 0.02 && latencies.duration.sum == 0.54)
        #expect(figures.latencies.count == 1)
        #expect(figures.promptTokens == 3)
        #expect(figures.leasesGranted == 1 && figures.leases(that: .completed) == 1)
        // Two steps of one decoding sequence each, five milliseconds long.
        #expect(figures.decodeSequences.count == 2 && figures.decodeSequences.sum == 2)
        #expect(figures.stepTime.sum == 0.01 && figures.prefillTokens.count == 0)
        let acme = try tenant(rig, "acme", .high, in: "fast")
        #expect(acme.queries(.met) == 1 && acme.outputTokens == 3 && acme.outputTokensInTime == 3)
    }

    @Test("Objectives missed, queries cancelled, refused and wrong are told apart")
    func outcomes() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 1)
        let late = try rig.submit {
            $0.objective = ServiceLevelObjective(
                timeToFirstToken: .milliseconds(20),
                averageTokenTime: .milliseconds(100)
            )
        }
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(21))
        rig.step(1, .tokens(lease, from: 0, count: 1, finish: .stop))
        #expect(rig.read(late).last == .end(.ok))
        let given = try rig.submit()
        _ = rig.cancel(given)
        #expect(throws: Status.self) { try rig.submit { $0.maxTokens = 1_000_000 } }
        rig.broker.workerPulled(WorkerID(rawValue: 1), granted: 3)
        _ = try rig.submit()
        let wrong = try #require(rig.dispatched().first).lease
        rig.step(1, .failure(wrong, Status(.invalidArgument, .promptTooLong, "x")))
        let nobody = try tenant(rig, "none")
        #expect(
            TenantFigures.Outcome.allCases.map { nobody.queries($0) } == [0, 1, 0, 1, 1, 1],
            "met, missed, failed, cancelled, refused, invalid"
        )
        #expect(nobody.outputTokens == 1 && nobody.outputTokensInTime == 0)
        let figures = try figures(rig)
        #expect(figures.refusals == [.maxTokensOutOfRange: 1] && figures.failures == [.promptTooLong: 1])
    }

    @Test("Each lease has one end, by what ended it")
    func leases() throws {
        var rig = BrokerRig()
        // Workers that fail, are lost, leave early; then a query that is cancelled, and one whose time is over.
        rig.join(1, granted: 1)
        _ = try rig.submit()
        let failing = try #require(rig.dispatched().first).lease
        rig.step(1, .failure(failing, Status(.internalError, .engineFailed, "x")))
        rig.join(2, granted: 1)
        #expect(rig.dispatched().count == 1)
        rig.lose(2)
        rig.tick(after: .seconds(5))
        rig.join(3, granted: 1)
        #expect(rig.dispatched().count == 1)
        rig.broker.workerDrains(WorkerID(rawValue: 3), at: rig.now)
        rig.lose(3)
        rig.join(4, granted: 3)
        rig.tick(after: .seconds(60))
        let last = try #require(rig.dispatched().first).lease
        rig.step(4, .tokens(last, from: 0, finish: .stop))
        let given = try rig.submit()
        _ = try rig.submit { $0.timeout = .seconds(1) }
        #expect(rig.dispatched().count == 2)
        _ = rig.cancel(given)
        rig.tick(after: .seconds(2))
        let figures = try figures(rig)
        #expect(LeaseEnd.allCases.map { figures.leases(that: $0) } == [1, 0, 1, 1, 1, 1, 1])
        #expect(figures.leasesGranted == 6 && figures.queueWait.count == 3, "attempts after the first wait for nothing")
    }

    @Test("A worker that was handed a query long after its last step is not called silent for that")
    func quietTime() throws {
        var rig = BrokerRig()
        rig.join(1)
        func quiet(_ rig: BrokerRig) -> Interval? {
            rig.broker.worker(WorkerID(rawValue: 1))?.quietTime(at: rig.now)
        }
        rig.tick(after: .seconds(60))
        #expect(quiet(rig) == .zero, "it never had anything to do")
        _ = try rig.submit()
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .seconds(3))
        #expect(quiet(rig) == .seconds(3))
        rig.step(1, .tokens(lease, from: 0, finish: .stop))
        rig.tick(after: .seconds(60))
        #expect(quiet(rig) == .seconds(60))
        _ = try rig.submit()
        #expect(rig.dispatched().count == 1)
        rig.tick(after: .seconds(2))
        #expect(quiet(rig) == .seconds(2))
    }

    @Test("So many tenants are told apart; those that come later are others")
    func tenantsAreBounded() throws {
        var rig = BrokerRig()
        rig.join(1, granted: 0)
        let count = TenantFigures.maximumTenants
        for number in 0..<(count + 7) {
            let stream = try rig.submit { $0.tenant = "t\(number)" }
            _ = rig.cancel(stream)
        }
        #expect(rig.broker.tenants.rows.count == count + 1)
        #expect(try tenant(rig, "other").queries(.cancelled) == 7)
        #expect(try tenant(rig, "t0").queries(.cancelled) == 1)
    }
}
