import Foundation
import ServingModel
import Testing

@testable import Scheduling

@Suite("Scaling policies in a closed loop")
struct ScalingPolicyTests {
    private static let objective = ServiceLevelObjective.standard

    /// Every policy that settles, with a set point that leaves it some room.
    ///
    /// The autoscaler on waiting queries is not among them: a queue says nothing until workers are short and then grows
    /// without bound, so it swings.
    private static func policies() -> [(name: String, policy: any ScalingPolicy)] {
        [
            ("forecast", ForecastScaling()),
            ("paper", PaperScaling(ratePerWorker: 1)),
            ("hpa-kv", HorizontalPodAutoscaler(metric: .kvUse, target: 0.45)),
            ("planner", ThroughputPlanner(profile: LoadSamples.llama70B(), objective: objective, utilisation: 0.25)),
        ]
    }

    private func run(
        _ policy: some ScalingPolicy,
        fleet: FluidFleet,
        seconds: Int,
        queries: (Int) -> Int
    ) -> (fleet: FluidFleet, wishes: [Int]) {
        var policy = policy
        var fleet = fleet
        let wishes = (0..<seconds).map { fleet.tick(queries: queries($0), policy: &policy).workers }
        return (fleet, wishes)
    }

    @Test("Each settles for a steady load, on enough workers and not on many more", arguments: 0..<4)
    func steady(index: Int) {
        let (name, policy) = Self.policies()[index]
        // 20 queries a second, one worker each: 20 workers are just busy.
        let result = run(policy, fleet: FluidFleet(active: 20), seconds: 1200) { _ in 20 }
        let last = result.wishes.suffix(300)
        let range = (last.min() ?? 0)...(last.max() ?? 0)
        #expect(range.lowerBound >= 20 && range.upperBound <= 40, "\(name): \(range)")
        #expect(range.upperBound - range.lowerBound <= 2, "\(name) does not settle: \(range)")
        #expect(result.fleet.backlog < 40, "\(name)")
    }

    @Test("Each follows a load that doubles and falls back", arguments: 0..<4)
    func follows(index: Int) {
        let (name, policy) = Self.policies()[index]
        let result = run(policy, fleet: FluidFleet(active: 24), seconds: 2400) { (800..<1600).contains($0) ? 40 : 20 }
        #expect(result.wishes[790] < 40, "\(name) \(result.wishes[790])")
        #expect(result.wishes[1500] >= 40, "\(name) \(result.wishes[1500])")
        #expect(result.wishes[2390] < result.wishes[1590], "\(name) \(result.wishes[2390])")
    }

    @Test("Bursts out of nothing find workers from the second one on, and are forgotten in the end")
    func bursts() {
        let bursts = 12
        func queries(_ second: Int) -> Int {
            guard second < bursts * 300 else { return 0 }
            return second < 200 ? 4 : second % 300 < 12 ? 60 : 0
        }
        let ready = run(ForecastScaling(), fleet: FluidFleet(active: 8), seconds: 8000, queries: queries)
        var without = ForecastScaling()
        without.keepsReserve = false
        let surprised = run(without, fleet: FluidFleet(active: 8), seconds: 8000, queries: queries)
        #expect(ready.fleet.lateSeconds < 60, "\(ready.fleet.lateSeconds)")
        #expect(surprised.fleet.lateSeconds > 200, "\(surprised.fleet.lateSeconds)")
        // 60 queries a second want 60 workers.
        #expect((45...75).contains(ready.wishes[3400]), "\(ready.wishes[3400])")
        #expect(surprised.wishes[3400] < 15, "\(surprised.wishes[3400])")
        #expect(ready.wishes[7990] == 1)
    }

    @Test("A load that forecasts follow is kept no reserve for")
    func noReserve() {
        for amplitude in [0.0, 6, 12] {
            func queries(_ second: Int) -> Int { Int(20 + amplitude * sin(Double(second) / 150)) }
            var without = ForecastScaling()
            without.keepsReserve = false
            let with = run(ForecastScaling(), fleet: FluidFleet(active: 24), seconds: 3000, queries: queries)
            let none = run(without, fleet: FluidFleet(active: 24), seconds: 3000, queries: queries)
            #expect(with.wishes == none.wishes)
        }
    }

    @Test("No policy goes beyond its limits, whatever it sees", arguments: 0..<5)
    func limits(index: Int) {
        var generator = SeededGenerator(seed: UInt64(index))
        let limits = ScalingLimits(least: 3, most: 9)
        let all: [any ScalingPolicy] = [
            ForecastScaling(limits: limits),
            PaperScaling(ratePerWorker: 1, limits: limits),
            HorizontalPodAutoscaler(metric: .kvUse, target: 0.5, limits: limits),
            HorizontalPodAutoscaler(metric: .waitingQueries, target: 1, limits: limits),
            ThroughputPlanner(profile: LoadSamples.llama70B(), objective: Self.objective, limits: limits),
        ]
        var policy = all[index]
        for second in 1...500 {
            var observation = FleetObservation()
            observation.activeWorkers = Int.random(in: 0...12, using: &generator)
            observation.startingWorkers = Int.random(in: 0...3, using: &generator)
            observation.arrivedQueries = Int.random(in: 0...60, using: &generator)
            observation.arrivedInputTokens = observation.arrivedQueries * 500
            observation.offeredWork = Double(observation.arrivedQueries) * 0.5
            observation.kvUse = Double.random(in: 0...1, using: &generator)
            observation.waitingQueries = Int.random(in: 0...50, using: &generator)
            observation.finishedQueries = Int.random(in: 0...9, using: &generator)
            observation.finishedOutputTokens = observation.finishedQueries * 100
            let wish = policy.desiredWorkers(observation, at: .zero + .seconds(Int64(second)))
            #expect((3...9).contains(wish.workers))
        }
    }

    @Test("A fixed number stays fixed")
    func fixed() {
        var policy = StaticScaling(workers: 7)
        #expect(policy.desiredWorkers(FleetObservation(), at: .zero) == ScalingWish(workers: 7, reason: .fixed))
    }

    @Test("The largest of the last while is that of a plain search")
    func recentMaximum() {
        var generator = SeededGenerator(seed: 9)
        var recent = RecentMaximum(window: .seconds(10))
        var values: [Int] = []
        for second in 0..<300 {
            values.append(Int.random(in: 0...20, using: &generator))
            #expect(recent.add(values[second], at: .zero + .seconds(Int64(second))) == values.suffix(11).max())
        }
    }
}
