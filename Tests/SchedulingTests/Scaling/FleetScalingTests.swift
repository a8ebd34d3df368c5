import ServingModel
import Testing

@testable import Scheduling

@Suite("Scaling in the running service")
struct FleetScalingTests {
    private func time(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    @Test("Awaited workers are counted, come in order, and tell how long they took")
    func expected() {
        var expected = ExpectedWorkers()
        expected.expect(2, at: time(0))
        expected.expect(3, at: time(10))
        #expect(expected.count == 3)
        expected.joined(at: time(12))
        // Fewer are wanted: the latest wish is taken back.
        expected.expect(1, at: time(13))
        expected.joined(at: time(15))
        expected.joined(at: time(16))
        #expect(expected.count == 0)
        #expect(expected.takeStartUpTimes() == [.seconds(12), .seconds(15)], "one that nobody wished for says nothing")
        #expect(expected.takeStartUpTimes().isEmpty)
        expected.expect(1, at: time(20))
        expected.expect(1, at: time(621))
        expected.joined(at: time(622))
        #expect(expected.takeStartUpTimes() == [.seconds(1)], "a wish that nobody followed is made again")
    }

    /// A scheduler and its scaling, told the same events.
    private struct Rig {
        var scheduler = Scheduler(policy: HoldAndDispatch(), learnsStepTimes: false)
        var scaling: FleetScaling
        var number: UInt64 = 0

        mutating func tell(_ event: ClusterEvent, at now: Instant) {
            scaling.apply(event, before: scheduler.view, at: now)
            scheduler.apply(event, at: now)
        }

        /// A second with `count` queries that are answered in it.
        mutating func second(_ index: Int64, queries count: Int, workers: UInt64) -> [FleetWish] {
            let now = Instant.zero + .seconds(index)
            for _ in 0..<count {
                number += 1
                tell(.queued(number, inputTokens: 200), at: now)
                tell(.queryDispatched(QueryNumber(number), to: WorkerID(1 + number % workers), attempt: 1), at: now)
                tell(.step(1 + number % workers, number), at: now)
                tell(.ended(number), at: now)
            }
            return scaling.wishes(in: scheduler.view, at: now + .milliseconds(900))
        }
    }

    private func rig(limits: ScalingLimits = ScalingLimits(), workers: UInt64 = 2) throws -> Rig {
        var rig = Rig(scaling: try FleetScaling(policy: "forecast", limits: limits))
        for worker in 1...workers { rig.tell(.joined(worker), at: .zero) }
        rig.tell(.snapshotComplete, at: .zero)
        return rig
    }

    @Test("More load is met by more workers, within limits; what the snapshot tells is no load")
    func demand() throws {
        var rig = try rig(limits: ScalingLimits(least: 1, most: 6))
        for second in 1...30 as ClosedRange<Int64> { _ = rig.second(second, queries: 1, workers: 2) }
        let calm = try #require(rig.second(31, queries: 1, workers: 2).first)
        #expect(calm.active == 2 && calm.workers <= 2 && calm.offeredLoad > 0)
        var busy = calm
        for second in 32...60 as ClosedRange<Int64> {
            busy = try #require(rig.second(second, queries: 200, workers: 2).first)
        }
        #expect(busy.workers == 6)
        #expect(busy.starting == 4 && busy.active == 2)
        #expect(busy.offeredLoad > 10 * calm.offeredLoad)
    }

    @Test("Workers for one phase each are two fleets, each as large as its own work asks for")
    func phases() throws {
        func wishes(inputTokens: Int, outputTokens: Int) throws -> [WorkerRole: FleetWish] {
            var rig = Rig(scaling: try FleetScaling(policy: "forecast", limits: ScalingLimits(least: 1, most: 100)))
            for (worker, role) in [(1, WorkerRole.prefill), (2, .decode), (3, .decode)] as [(UInt64, WorkerRole)] {
                guard case .workerJoined(var joined) = ClusterEvent.joined(worker) else { continue }
                joined.role = role
                joined.kvExchange = "x"
                rig.tell(.workerJoined(joined), at: .zero)
            }
            rig.tell(.snapshotComplete, at: .zero)
            var wishes: [FleetWish] = []
            // What is wished for before lengths are known lingers for a minute.
            for second in 1...200 as ClosedRange<Int64> {
                let now = time(second)
                for _ in 0..<20 {
                    rig.number += 1
                    rig.tell(.queued(rig.number, inputTokens: inputTokens), at: now)
                    let end = QueryEnded(
                        query: QueryNumber(rig.number),
                        code: .ok,
                        inputTokens: inputTokens,
                        outputTokens: outputTokens
                    )
                    rig.tell(.queryEnded(end), at: now)
                }
                wishes = rig.scaling.wishes(in: rig.scheduler.view, at: now + .milliseconds(900))
            }
            #expect(wishes.map(\.role) == [.prefill, .decode])
            return Dictionary(uniqueKeysWithValues: wishes.map { ($0.role, $0) })
        }
        let long = try wishes(inputTokens: 2000, outputTokens: 4)
        let short = try wishes(inputTokens: 20, outputTokens: 400)
        let (longPrefill, longDecode) = (try #require(long[.prefill]), try #require(long[.decode]))
        let (shortPrefill, shortDecode) = (try #require(short[.prefill]), try #require(short[.decode]))
        #expect(longPrefill.active == 1 && longDecode.active == 2)
        // 20 a second of 214 ms each, on workers that are 60 % busy: at least 7.1.
        #expect((7...9).contains(longPrefill.workers) && longDecode.workers <= 2)
        #expect(shortPrefill.workers <= 2 && shortDecode.workers > 2 * longDecode.workers)
    }

    @Test("Where there were workers for one phase each, both kinds are wished for when all have gone")
    func lostPhases() throws {
        var rig = Rig(scaling: try FleetScaling(policy: "forecast", limits: ScalingLimits()))
        let roles: [(worker: UInt64, role: WorkerRole)] = [(1, .prefill), (2, .decode), (3, .decode)]
        for (worker, role) in roles {
            guard case .workerJoined(var joined) = ClusterEvent.joined(worker) else { continue }
            joined.role = role
            joined.kvExchange = "x"
            rig.tell(.workerJoined(joined), at: .zero)
        }
        rig.tell(.snapshotComplete, at: .zero)
        var active = [WorkerRole.prefill: 1, .decode: 2]
        var second: Int64 = 0
        // First each is told to go, then each is gone.
        for isDraining in [true, false] {
            for (worker, role) in roles {
                second += 1
                rig.tell(.workerLeft(WorkerID(worker), isDraining: isDraining), at: time(second))
                if isDraining { active[role, default: 0] -= 1 }
                let wishes = rig.scaling.wishes(in: rig.scheduler.view, at: time(second) + .milliseconds(900))
                #expect(wishes.map(\.role) == [.prefill, .decode])
                for wish in wishes { #expect(wish.workers >= 1 && wish.active == active[wish.role]) }
            }
        }
    }

    @Test("What was wished for and has not come is not called steady, and a limit in the way is named")
    func reasonWhileAwaited() throws {
        var rig = try rig(limits: ScalingLimits(least: 1, most: 40))
        for second in 1...30 as ClosedRange<Int64> { _ = rig.second(second, queries: 1, workers: 2) }
        var reasons: Set<String> = []
        for second in 31...60 as ClosedRange<Int64> {
            let wish = try #require(rig.second(second, queries: 40, workers: 2).first)
            if wish.starting > 0 { reasons.insert(wish.reason) }
        }
        #expect(!reasons.isEmpty && reasons.isSubset(of: ["demand", "backlog"]), "\(reasons)")
        var last = try #require(rig.second(61, queries: 2000, workers: 2).first)
        for second in 62...90 as ClosedRange<Int64> {
            last = try #require(rig.second(second, queries: 2000, workers: 2).first)
        }
        #expect(last.workers == 40 && last.reason == "limit")
    }

    @Test("A lost connection makes no start-ups of the workers that the next snapshot tells of")
    func reset() throws {
        var rig = try rig()
        for second in 1...40 as ClosedRange<Int64> { _ = rig.second(second, queries: 100, workers: 2) }
        let before = try #require(rig.second(41, queries: 100, workers: 2).first)
        #expect(before.starting > 0)
        rig.scheduler.reset()
        rig.scaling.reset()
        #expect(rig.scaling.wishes(in: rig.scheduler.view, at: time(42)).isEmpty)
        for worker in 1...2 as ClosedRange<UInt64> { rig.tell(.joined(worker), at: time(43)) }
        rig.tell(.snapshotComplete, at: time(43))
        let after = try #require(rig.second(44, queries: 100, workers: 2).first)
        #expect(after.active == 2 && after.starting > 0)
    }

    @Test("Unknown policies and settings are refused by name")
    func unknown() {
        #expect(throws: PolicyError.self) { try FleetScaling(policy: "moon", limits: ScalingLimits()) }
        #expect(throws: PolicyError.self) { try FleetScaling(policy: "hpa:target=7", limits: ScalingLimits()) }
        #expect(throws: PolicyError.self) { try FleetScaling(policy: "forecast:phase=1", limits: ScalingLimits()) }
    }
}
