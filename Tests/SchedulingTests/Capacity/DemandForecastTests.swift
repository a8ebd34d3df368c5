import Scheduling
import ServingModel
import Testing

@Suite("Forecasting demand")
struct DemandForecastTests {
    private func forecast(
        seconds: Int,
        horizon: Interval = .seconds(45),
        _ demand: (Int) -> Double
    ) -> DemandForecast.Outlook {
        var forecast = DemandForecast(horizon: horizon)
        for second in 1...seconds { forecast.observe(work: demand(second), at: .zero + .seconds(Int64(second))) }
        return forecast.forecast(at: .zero + .seconds(Int64(seconds)))
    }

    @Test("A steady load is expected to stay, with no margin once its errors are known")
    func steady() {
        let outlook = forecast(seconds: 300) { _ in 7 }
        #expect(abs(outlook.expected - 7) < 1e-9)
        #expect(abs(outlook.slope) < 1e-9)
        #expect(abs(outlook.margin) < 1e-9)
        #expect(abs(outlook.upper - 7) < 1e-9)
    }

    @Test("A rising load is expected to go on rising by half its slope")
    func rising() {
        let outlook = forecast(seconds: 200) { 10 + 0.1 * Double($0) }
        #expect(abs(outlook.slope - 0.1) < 1e-9)
        // The mean of seconds 181…200 and half of 4.5.
        #expect(abs(outlook.expected - (10 + 19.05 + 2.25)) < 1e-9)
        // The other half and the 10 s by which the mean lags are the errors: they become the margin.
        #expect(outlook.margin > 0.05)
        #expect(outlook.upper > 10 + 0.1 * 245 * 0.95)
    }

    @Test("Before errors are known there is a margin, and an unsteady load keeps one")
    func margins() {
        #expect(forecast(seconds: 10) { _ in 3 }.margin == 0.3)
        var generator = SeededGenerator(seed: 1)
        var level = 10.0
        let unsteady = forecast(seconds: 900) { second in
            if second % 60 == 0 { level = Double.random(in: 2...20, using: &generator) }
            return level
        }
        let noisy = forecast(seconds: 900) { _ in Double.random(in: 9...11, using: &generator) }
        #expect(noisy.margin > 0 && noisy.margin < 0.1)
        #expect(unsteady.margin > 3 * noisy.margin)
    }

    @Test("How a load begins after a pause is not taken for how wrong forecasts are")
    func beginning() {
        let begun = forecast(seconds: 60 + 300) { $0 > 60 ? 3 : 0 }
        #expect(abs(begun.upper - 3) < 1e-9)
        // While its errors are few as well.
        for seconds in 110..<180 {
            #expect(forecast(seconds: seconds) { $0 > 60 ? 3 : 0 }.margin <= 0.3)
        }
        let resumed = forecast(seconds: 600) { (200...260).contains($0) ? 0 : 3 }
        #expect(abs(resumed.upper - 3) < 1e-9)
    }

    @Test("The margin covers its share of the errors")
    func coverage() {
        var generator = SeededGenerator(seed: 2)
        var forecast = DemandForecast(horizon: .seconds(30))
        var level = 10.0
        var uppers: [Double] = []
        var levels: [Double] = []
        for second in 1...4000 {
            if second % 20 == 0 { level = max(2, level + Double.random(in: -2...2, using: &generator)) }
            forecast.observe(work: level, at: .zero + .seconds(Int64(second)))
            uppers.append(forecast.forecast(at: .zero + .seconds(Int64(second))).upper)
            levels.append(level)
        }
        let covered = (1000..<3960).filter { index in
            // What the forecast is about: the mean of the 20 s that end 30 s later.
            levels[(index + 11)...(index + 30)].reduce(0, +) / 20 <= uppers[index] + 1e-9
        }
        let share = Double(covered.count) / 2960
        #expect(share > 0.80 && share < 0.92)
    }

    @Test("A gap without ticks counts as no demand, and a changed horizon is taken up")
    func gapsAndHorizons() {
        var forecast = DemandForecast(horizon: .seconds(30))
        for second in 1...100 { forecast.observe(work: 5, at: .zero + .seconds(Int64(second))) }
        forecast.horizon = .seconds(10)
        forecast.observe(work: 5, at: .zero + .seconds(101))
        #expect(forecast.forecast(at: .zero + .seconds(100_000)).expected == 0)
        #expect(forecast.relativeErrors.count <= 600)
    }

    @Test("Work within a second adds up")
    func ticksWithinASecond() {
        var forecast = DemandForecast(horizon: .seconds(30))
        for tick in 1...400 { forecast.observe(work: 1, at: .zero + .milliseconds(Int64(tick) * 250)) }
        #expect(forecast.forecast(at: .zero + .seconds(100)).expected == 4)
    }
}
