import ServingModel
import Simulation
import Testing

@Suite("Workers that fail at random")
struct WorkerFailuresTests {
    private let failures = WorkerFailures(meanSeconds: 100, restart: .seconds(20))

    private func changes(workers: Int, seed: UInt64 = 1) -> [FleetChange] {
        failures.changes(
            of: Array(repeating: SmallCluster.profile, count: workers),
            until: 1000,
            seed: seed
        )
    }

    @Test("Each failure takes a worker that is there, and a new one takes its place")
    func places() {
        let changes = changes(workers: 5)
        // Five workers for 1,000 s, up for 100 s and down for 20: some forty failures.
        #expect((20...65).contains(changes.count / 2))
        var alive = Set(0..<5)
        var next = 5
        var time = Instant.zero
        for change in changes {
            #expect(change.time >= time && change.time < .zero + .seconds(1000))
            time = change.time
            switch change.action {
            case .fail(let worker): #expect(alive.remove(worker) != nil)
            case .start(_, let startUp):
                #expect(startUp == .seconds(20))
                alive.insert(next)
                next += 1
            case .drain: Issue.record("nothing drains")
            }
        }
        #expect(alive.count == 5)
    }

    @Test("A worker that comes back does not fail before it serves")
    func restart() {
        var started: [Int: Instant] = [:]
        var next = 3
        for change in changes(workers: 3) {
            switch change.action {
            case .fail(let worker):
                if let start = started[worker] { #expect(change.time >= start + .seconds(20)) }
            case .start:
                started[next] = change.time
                next += 1
            case .drain: Issue.record("nothing drains")
            }
        }
        #expect(started.count > 3)
    }

    @Test("More workers fail more often, and those before them at the same times; another seed has others")
    func draws() {
        func times(_ workers: Int, _ seed: UInt64) -> Set<Instant> {
            Set(changes(workers: workers, seed: seed).map(\.time))
        }
        #expect(times(3, 1).isStrictSubset(of: times(4, 1)))
        #expect(times(3, 1).isDisjoint(with: times(3, 2)))
    }
}
