import RecordTables
import ServingModel
import Testing

@testable import Scheduling

@Suite("What a view keeps up to date of a model's workers")
struct WorkerPoolTests {
    @Test("Under random events the orders and sums equal their recomputation", arguments: 0..<10)
    func random(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var view = ClusterView()
        var queries: [UInt64] = []
        var workers: [UInt64] = []
        for index in 1...500 as ClosedRange<UInt64> {
            let now = Instant.zero + .milliseconds(Int64(index / 4))
            let worker = WorkerID(workers.suffix(70).randomElement(using: &generator) ?? 0)
            let query = queries.suffix(60).randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<15:
                workers.append(index)
                view.apply(.joined(index), at: now)
            case 15..<17: view.apply(.workerLeft(worker, isDraining: index.isMultiple(of: 2)), at: now)
            case 17..<40:
                queries.append(index)
                view.apply(.queued(index, inputTokens: Int.random(in: 1...500, using: &generator)), at: now)
            case 40..<65: view.place(QueryNumber(query), onSlot: view.slot(of: worker) ?? -1, at: now)
            case 65..<85:
                let worker = view.queries[QueryNumber(query)]?.worker?.rawValue ?? 0
                view.apply(.step(worker, query), at: now)
            case 85..<88: view.beginSteps(at: now)
            default: view.apply(.ended(query, inputTokens: 5), at: now)
            }
            try check(&view)
        }
    }

    private func check(_ view: inout ClusterView) throws {
        let slots = view.pool(for: "m")
        #expect(slots == view.workers.indices.filter { !view.workers[$0].isDraining })
        guard let pool = view.poolIndices[PoolKey(model: "m")] else { return }
        let workers = view.workers
        let byTime = slots.sorted { (workers[$0].lastPlacement, $0) < (workers[$1].lastPlacement, $1) }
        #expect(view.leastRecent(5, ofPool: pool) == Array(byTime.prefix(5)))
        #expect(view.leastRecent(1000, ofPool: pool) == byTime)
        #expect(view.pools[pool].residents == slots.reduce(0) { $0 + workers[$1].residents.count })
        let largest = slots.map { workers[$0].profile.kvCache.capacityTokens }.max() ?? 0
        #expect(view.pools[pool].largestCapacity == largest)
        #expect(view.pools[pool].idle.count == slots.count { workers[$0].isIdle })
        let stepless = Set(view.stepless)
        #expect(view.idleOrStepless(inPool: pool) == slots.filter { workers[$0].isIdle || stepless.contains($0) })
        let byRoom = slots.sorted { (shortage(workers[$0]), $0) < (shortage(workers[$1]), $1) }
        let roomiest = view.roomiest(7, ofPool: pool)
        #expect(roomiest == Array(byRoom.prefix(7)))
    }

    private func shortage(_ worker: WorkerView) -> Int {
        let missing = worker.usedKVTokens + worker.waitingTokens - worker.admissibleKVTokens
        return worker.freePlaces > 0 ? missing : missing + 1 << 40
    }

    @Test("A tournament's least are those that sorting finds, whatever keys have changed", arguments: 1..<20)
    func tournament(size: Int) {
        var generator = SeededGenerator(seed: UInt64(size))
        var keys = (0..<size).map { _ in Int.random(in: 0..<8, using: &generator) }
        var tournament = Tournament(keys: keys)
        for _ in 0..<200 {
            let position = Int.random(in: keys.indices, using: &generator)
            keys[position] = Int.random(in: 0..<8, using: &generator)
            tournament.set(position, to: keys[position])
            let sorted = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
            let count = Int.random(in: 0...size + 2, using: &generator)
            let least = tournament.least(count)
            #expect(least == Array(sorted.prefix(count)))
        }
    }
}
