internal import Brokering
internal import Scheduling
internal import ServingModel

extension FaultyCluster {
    static let models = ["small", "large"]

    mutating func populate() {
        for _ in 0..<plan.clients {
            let isSlow = chance(plan.slowReaderChance)
            if isSlow { coverage.note(.slowReader) }
            clients.append(
                FaultClient(owner: pick(2), readingTime: isSlow ? .milliseconds(Int64(pick(5...80))) : .zero)
            )
        }
        for number in 0..<plan.workers { workers.append(makeWorker(number)) }
        for (number, policy) in plan.policies.prefix(plan.hasStandby ? 2 : 1).enumerated() {
            schedulers.append(FaultScheduler(policy: policy, seed: seed, standsBy: number > 0))
        }
        for client in clients.indices { addPeer(.client(client)) }
        for worker in workers.indices { addPeer(.worker(worker)) }
        for scheduler in schedulers.indices { addPeer(.scheduler(scheduler)) }
        for peer in peers.indices {
            schedule(.beat(peer: peer, incarnation: 0), after: generator.uniform() * 20)
        }
        startBroker()
        scheduleWork()
        if plan.faultGap != nil { scheduleFault() }
        schedule(.calm, at: .zero + plan.unrest)
    }

    private mutating func addPeer(_ role: FaultPeer.Role) {
        peers.append(FaultPeer(role: role, delay: [0.05, 0.3, 2, 10][pick(4)]))
    }

    private mutating func makeWorker(_ number: Int) -> FaultWorker {
        let step = [2.0, 5, 12][pick(3)]
        var profile = LatencyProfile(model: Self.models[number < 2 ? number : pick(2)], device: "simulated")
        profile.prefill.c1Milliseconds = step
        profile.prefill.k1Milliseconds = 0.05
        profile.decode.c3Milliseconds = step
        profile.kvCache.blockTokens = 16
        profile.kvCache.capacityTokens = [480, 960, 4096][pick(3)]
        profile.limits.maximumSequences = pick(2...5)
        profile.limits.chunkTokens = 64
        profile.limits.maximumBatchedTokens = 512
        let knowsIDs = chance(0.8)
        var joined = WorkerJoined(
            worker: WorkerID(rawValue: 0),
            name: "w\(number)",
            engine: "simulated",
            contextLength: 480,
            resumesPrefix: knowsIDs && chance(0.7),
            batching: chance(0.5) ? .chunked : .prefillPriority,
            profile: profile
        )
        if plan.isSplit {
            joined.role = [.prefill, .prefill, .decode, .decode, .both][number % 5]
            joined.kvExchange = "x"
        }
        return FaultWorker(
            joined: joined,
            knowsIDs: knowsIDs,
            isZombie: chance(0.25),
            flushEvery: chance(0.3) ? pick(2...6) : 1,
            stepMilliseconds: step
        )
    }

    /// Bursts with lulls between them.
    private mutating func scheduleWork() {
        var left = plan.queries
        while left > 0 {
            let burst = min(left, [1, 1, 2, 5, 12][pick(5)])
            let client = pick(clients.count)
            let at = generator.uniform() * plan.unrest.milliseconds
            for _ in 0..<burst {
                let who = chance(0.7) ? client : pick(clients.count)
                schedule(.act(client: who), after: at + generator.uniform() * 30)
            }
            left -= burst
        }
        // What clients do besides: cancel, attach, acknowledge.
        for _ in 0..<plan.queries {
            schedule(.act(client: pick(clients.count)), after: generator.uniform() * plan.unrest.milliseconds)
        }
    }

    mutating func makeWork(for owner: Int) -> Int {
        let inputTokens = [1, 8, 30, 100][pick(4)]
        var maxTokens = [1, 2, 5, 12, 30, 60, 60, 250][pick(8)]
        maxTokens = min(maxTokens, 480 - inputTokens)
        let durability: Durability = [.volatile, .accept, .accept, .stream, .stream][pick(5)]
        // Around the time that it takes: a few steps to a few hundred.
        let timeout = chance(0.2) ? Interval.milliseconds(Int64([20, 100, 400, 2000][pick(4)] + pick(100))) : nil
        var work = FaultWork(
            number: works.count,
            owner: owner,
            key: chance(0.6) ? "key-\(works.count)" : nil,
            durability: durability,
            model: Self.models[pick(2)],
            inputTokens: inputTokens,
            maxTokens: maxTokens,
            timeout: timeout,
            priority: pick(-1...2)
        )
        if chance(plan.poisonChance) { work.poisonIndex = pick(maxTokens) }
        work.isUnservable = chance(0.03)
        works.append(work)
        return work.number
    }
}
