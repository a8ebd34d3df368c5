import Scheduling
import ServingModel
import Testing

@Suite("Placement policies")
struct PolicyTests {
    /// A scheduler with three workers of model m, one of another, and loads on the first two.
    ///
    /// - Returns: where query 10, of 100 tokens, goes.
    private func choice(
        of policy: any PlacementPolicy,
        loads: [(worker: UInt64, tokens: Int)],
        speeds: [Double] = [1, 1, 1]
    ) throws -> Placement {
        var scheduler = Scheduler(policy: policy)
        var events: [ClusterEvent] = [.joined(9, model: "other")]
        for (index, speed) in speeds.enumerated() {
            events.append(.joined(UInt64(index + 1), profile: .sample(speed: speed)))
        }
        for (index, load) in loads.enumerated() {
            let number = UInt64(20 + index)
            events.append(.queued(number, inputTokens: load.tokens))
            events.append(.queryDispatched(QueryNumber(number), to: WorkerID(load.worker), attempt: 1))
        }
        scheduler.apply(events + [.snapshotComplete, .queued(10)], at: .zero)
        let placements = scheduler.decide(at: .zero).placements
        #expect(placements.count == 1)
        return try #require(placements.first)
    }

    @Test("The shortest queue counts queries, not tokens; the earliest wins a tie")
    func shortestQueue() throws {
        let policy = JoinShortestQueue()
        #expect(try choice(of: policy, loads: [(1, 5), (1, 5), (2, 900), (3, 5), (3, 5)]).worker == WorkerID(2))
        #expect(try choice(of: policy, loads: [(1, 5)]).worker == WorkerID(2))
    }

    @Test("Fewest tokens counts tokens, not queries")
    func leastTokens() throws {
        #expect(try choice(of: LeastTokens(), loads: [(1, 5), (1, 5), (2, 900), (3, 50)]).worker == WorkerID(1))
    }

    @Test("The least used KV cache is a share of its capacity")
    func leastKVCache() throws {
        var scheduler = Scheduler(policy: LeastKVCache())
        var large = LatencyProfile.sample()
        large.kvCache.capacityTokens = 100_000
        scheduler.apply(
            [
                .joined(1), .joined(2, profile: large), .queued(20, inputTokens: 100), .queued(21, inputTokens: 500),
                .queryDispatched(QueryNumber(20), to: WorkerID(1), attempt: 1),
                .queryDispatched(QueryNumber(21), to: WorkerID(2), attempt: 1), .snapshotComplete, .queued(10),
            ],
            at: .zero
        )
        #expect(scheduler.decide(at: .zero).placements.map(\.worker) == [WorkerID(2)])
    }

    @Test("Round robin takes its turns whatever the load")
    func roundRobin() throws {
        var scheduler = Scheduler(policy: RoundRobin())
        scheduler.apply([.joined(1), .joined(2), .snapshotComplete] + (1...5).map { .queued($0) }, at: .zero)
        #expect(scheduler.decide(at: .zero).placements.map(\.worker.rawValue) == [1, 2, 1, 2, 1])
    }

    @Test("The earliest first token prefers the idle, the fast and the fitting worker, and predicts")
    func leastTimeToFirstToken() throws {
        let policy = LeastTimeToFirstToken()
        #expect(try choice(of: policy, loads: [(1, 900), (2, 900)]).worker == WorkerID(3))
        let fast = try choice(of: policy, loads: [(2, 5)], speeds: [1, 4, 1])
        #expect(fast.worker == WorkerID(2))
        // An idle worker: age, and a mixed step that takes in 100 tokens beside no decodes: 8 + 10 + 0.01 ms.
        let idle = try choice(of: policy, loads: [])
        #expect(idle.predictedTimeToFirstToken == .milliseconds(5) + Interval(nanoseconds: 18_010_000))
        // The fast one has no KV left.
        #expect(try choice(of: policy, loads: [(2, 9900)], speeds: [1, 100, 1]).worker == WorkerID(1))
    }

    @Test("Random policies draw from their seed alone; the less loaded of two is taken")
    func randomPolicies() throws {
        for name in ["random", "power-of-two"] {
            func places(seed: UInt64) throws -> [UInt64] {
                var scheduler = Scheduler(policy: try PolicyCatalog.make(name, seed: seed))
                scheduler.apply((1...4).map { .joined($0) } + [.snapshotComplete], at: .zero)
                scheduler.apply((1...40).map { .queued($0) }, at: .zero)
                return scheduler.decide(at: .zero).placements.map(\.worker.rawValue)
            }
            #expect(try places(seed: 1) == places(seed: 1))
            #expect(try places(seed: 1) != places(seed: 2))
            #expect(Set(try places(seed: 1)) == [1, 2, 3, 4])
        }
        for seed: UInt64 in 0..<20 {
            let policy = PowerOfTwoChoices(seed: seed)
            // Of three, the only loaded one never wins a comparison.
            #expect(try choice(of: policy, loads: [(1, 5)]).worker != WorkerID(1))
        }
    }

    @Test("The catalogue makes every policy it names, each works, and no other name is known")
    func catalogue() throws {
        #expect(PolicyCatalog.names.contains(PolicyCatalog.defaultName))
        #expect(Set(PolicyCatalog.names).count == PolicyCatalog.names.count)
        for name in PolicyCatalog.names {
            let policy = try PolicyCatalog.make(name, seed: 1)
            #expect(try choice(of: policy, loads: [(1, 5)]).query == QueryNumber(10))
        }
        #expect(throws: PolicyError.self) { try PolicyCatalog.make("no-such-policy", seed: 1) }
    }

    @Test("Settings come after the name; a wrong one is refused with what would be right")
    func settings() throws {
        #expect(try PolicyCatalog.make("polyserve:pace=0.5:ttft=0.8", seed: 1) is PolyServe)
        func message(_ text: String) -> String? {
            do {
                _ = try PolicyCatalog.make(text, seed: 1)
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(message("polyserv")?.hasPrefix("no policy 'polyserv'; there are: aladdin") == true)
        #expect(
            message("kv-cost:block=3")
                == "policy 'kv-cost' has no setting 'block'; there are: prefill-weight, temperature"
        )
        #expect(message("jsq:pace=1") == "policy 'jsq' has no setting 'pace'; it has none")
        #expect(
            message("polyserve:pace=fast")
                == "'pace' of policy 'polyserve' must be a number from 0.01 to 10.0, not 'fast'"
        )
        #expect(
            message("cache-aware:smallest-tree=1")
                == "'smallest-tree' of policy 'cache-aware' must be on or off, not '1'"
        )
        #expect(message("weighted:queue") == "'queue' in policy 'weighted:queue' is not of the form key=value")
    }

    @Test("Nothing is placed before the snapshot is complete, nor without a worker that serves the model")
    func waitsForSnapshot() {
        var scheduler = Scheduler(policy: JoinShortestQueue())
        scheduler.apply([.joined(1), .queued(1), .queued(2, model: "other")], at: .zero)
        #expect(scheduler.decide(at: .zero).placements.isEmpty)
        scheduler.apply([.snapshotComplete], at: .zero)
        #expect(scheduler.decide(at: .zero).placements.map(\.query) == [QueryNumber(1)])
        #expect(scheduler.decide(at: .zero).placements.isEmpty)
        #expect(scheduler.placed == 1)
        scheduler.apply([.workerLeft(WorkerID(1), isDraining: true), .queued(3)], at: .zero)
        #expect(scheduler.decide(at: .zero).placements.isEmpty)
        scheduler.reset()
        scheduler.apply([.joined(1), .queued(1)], at: .zero)
        #expect(scheduler.decide(at: .zero).placements.isEmpty)
    }
}
