import Scheduling
import ServingModel
import Testing

@Suite("What each scaling policy does in particular")
struct ScalerDetailTests {
    private func observation(
        active: Int,
        starting: Int = 0,
        kvUse: Double = 0,
        waiting: Int = 0,
        queries: Int = 0
    ) -> FleetObservation {
        var observation = FleetObservation()
        observation.activeWorkers = active
        observation.startingWorkers = starting
        observation.kvUse = kvUse
        observation.waitingQueries = waiting
        observation.arrivedQueries = queries
        return observation
    }

    private func second(_ second: Int64) -> Instant { .zero + .seconds(second) }

    @Test("The autoscaler follows the published formula, its tolerance and its growth limit")
    func autoscalerFormula() {
        func first(_ observation: FleetObservation, target: Double = 0.5) -> Int {
            var policy = HorizontalPodAutoscaler(metric: .kvUse, target: target)
            return policy.desiredWorkers(observation, at: .zero).workers
        }
        #expect(first(observation(active: 10, kvUse: 0.6)) == 12)
        #expect(first(observation(active: 10, kvUse: 0.54)) == 10)
        #expect(first(observation(active: 10, kvUse: 0.46)) == 10)
        #expect(first(observation(active: 10, kvUse: 0.3)) == 6)
        #expect(first(observation(active: 10, kvUse: 1), target: 0.2) == 20)
        #expect(first(observation(active: 1, kvUse: 1), target: 0.05) == 5)
        // Ten start: with them at 0 the mean is 0.4, and no more are asked for.
        #expect(first(observation(active: 10, starting: 10, kvUse: 0.8)) == 20)
        #expect(first(observation(active: 10, starting: 2, kvUse: 0.8)) == 16)
        var waiting = HorizontalPodAutoscaler(metric: .waitingQueries, target: 2)
        #expect(waiting.desiredWorkers(observation(active: 4, waiting: 12), at: .zero).workers == 6)
    }

    @Test("The autoscaler looks every 15 s and shrinks after 5 minutes")
    func autoscalerTiming() {
        var policy = HorizontalPodAutoscaler(metric: .kvUse, target: 0.5)
        #expect(policy.desiredWorkers(observation(active: 10, kvUse: 0.5), at: .zero).workers == 10)
        #expect(policy.desiredWorkers(observation(active: 10, kvUse: 1), at: second(14)).workers == 10)
        #expect(policy.desiredWorkers(observation(active: 10, kvUse: 1), at: second(15)).workers == 20)
        for time in stride(from: Int64(30), through: 315, by: 15) {
            let wish = policy.desiredWorkers(observation(active: 20, kvUse: 0.1), at: second(time))
            #expect(wish == ScalingWish(workers: 20, reason: .lingering))
        }
        let wish = policy.desiredWorkers(observation(active: 20, kvUse: 0.1), at: second(330))
        #expect(wish == ScalingWish(workers: 4, reason: .surplus))
    }

    @Test("The paper's scaling plans with the upper end of the counted rate")
    func paperFormula() {
        var policy = PaperScaling(utilisation: 0.5, ratePerWorker: 2, heartbeat: .seconds(5), window: 60)
        var wish = ScalingWish(workers: 0, reason: .steady)
        for time in 1...121 {
            wish = policy.desiredWorkers(observation(active: 10, queries: 15), at: second(Int64(time)))
        }
        // 15 + 2·√(15/60) = 16 a second, one a worker.
        #expect(wish.workers == 16)
        var next = observation(active: 10, queries: 15)
        next.ratePerWorker = 4
        for time in 122...126 { wish = policy.desiredWorkers(next, at: second(Int64(time))) }
        #expect(wish.workers == 10)
        #expect(wish.reason == .steady || wish.reason == .lingering)
    }

    @Test("A change of rate cuts the paper's window short")
    func paperChange() {
        var policy = PaperScaling(utilisation: 1, ratePerWorker: 1, heartbeat: .seconds(1), window: 60)
        for time in 1...100 { _ = policy.desiredWorkers(observation(active: 12, queries: 10), at: second(Int64(time))) }
        var reached: Int?
        for time in 101...160 where reached == nil {
            let wish = policy.desiredWorkers(observation(active: 12, queries: 20), at: second(Int64(time)))
            if wish.workers >= 20 { reached = time - 100 }
        }
        // The plain mean over 60 s and its margin would take 45 s.
        #expect((reached ?? .max) < 20)
    }

    @Test("The planner's number follows from the profile, and a slow engine raises it")
    func plannerFormula() {
        func planned(tokenSeconds: Double?) -> Int {
            let profile = LoadSamples.llama70B()
            var policy = ThroughputPlanner(profile: profile, objective: .standard, utilisation: 1)
            var wish = ScalingWish(workers: 0, reason: .steady)
            for time in 1...61 {
                var observation = observation(active: 10, queries: 20)
                observation.arrivedInputTokens = 20 * 500
                observation.finishedQueries = 20
                observation.finishedOutputTokens = 20 * 200
                observation.meanBatch = 50
                observation.meanTokenSeconds = tokenSeconds
                wish = policy.desiredWorkers(observation, at: second(Int64(time)))
            }
            return wish.workers
        }
        // 61 ticks counted over 60 s; a prompt takes 127.4 ms; 141 sequences of 600 tokens decode in 100 ms.
        let rate = 20 * 61.0 / 60
        let prefill = rate * 0.1274
        let expected = (prefill + rate * 200 / (141 / (0.04362 + 141 * (0.1842e-3 + 0.3544e-6 * 600)))).rounded(.up)
        #expect(planned(tokenSeconds: nil) == Int(expected))
        let step = 0.04362 + 50 * (0.1842e-3 + 0.3544e-6 * 600)
        #expect(planned(tokenSeconds: step) == Int(expected))
        #expect(planned(tokenSeconds: 1.3 * step) > Int(expected))
    }

    @Test("Forecast scaling keeps a steady fleet at its set point and learns the start-up time")
    func forecastSetPoint() {
        var policy = ForecastScaling(utilisation: 0.8)
        var fleet = FluidFleet(active: 4, startUp: 50)
        var wish = ScalingWish(workers: 0, reason: .steady)
        for _ in 0..<900 { wish = fleet.tick(queries: 20, policy: &policy) }
        // 20 busy workers at 0.8.
        #expect(wish.workers == 25)
        #expect(abs(policy.startUp.seconds - 50) < 1)
    }

    @Test("Forecast scaling grows at once and shrinks only after a minute")
    func forecastPatience() {
        var policy = ForecastScaling(utilisation: 1)
        var fleet = FluidFleet(active: 20, startUp: 1)
        for _ in 0..<600 { _ = fleet.tick(queries: 20, policy: &policy) }
        let before = fleet.active
        var grown: Int?
        for tick in 1...30 where grown == nil {
            if fleet.tick(queries: 40, policy: &policy).workers > before { grown = tick }
        }
        #expect((grown ?? .max) <= 5)
        for _ in 0..<900 { _ = fleet.tick(queries: 40, policy: &policy) }
        let high = fleet.active
        var shrunk: Int?
        for tick in 1...400 where shrunk == nil {
            if fleet.tick(queries: 10, policy: &policy).workers < high { shrunk = tick }
        }
        #expect((shrunk ?? 0) >= 60 && (shrunk ?? .max) < 150)
    }

    @Test("Forecast scaling makes up for what waits")
    func forecastBacklog() {
        func workers(waitingWork: Double) -> Int {
            var policy = ForecastScaling(utilisation: 1)
            var wish = ScalingWish(workers: 0, reason: .steady)
            for time in 1...200 {
                var observation = observation(active: 10, queries: 20)
                observation.offeredWork = 10
                observation.waitingWork = waitingWork
                wish = policy.desiredWorkers(observation, at: second(Int64(time)))
            }
            return wish.workers
        }
        #expect(workers(waitingWork: 0) == 10)
        #expect(workers(waitingWork: 15) == 10)
        // 10 workers work off 20 in 2 s; the other 60 take 2 workers 30 s.
        #expect(workers(waitingWork: 80) == 12)
    }
}
