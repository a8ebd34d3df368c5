import ServingModel
import Testing

@Suite("Distributions")
struct DistributionTests {
    @Test("A value falls into the first range whose bound it does not exceed")
    func ranges() {
        var distribution = Distribution(bounds: [1, 2, 4])
        for value in [0, 1, 1.5, 2, 3, 4, 4.5, .infinity] { distribution.add(value) }
        #expect(distribution.counts == [2, 2, 2, 2] && distribution.count == 8)
    }

    @Test("What is not a number is not counted, lengths of time are in seconds")
    func sums() {
        var distribution = Distribution(bounds: [1])
        distribution.add(.nan)
        #expect(distribution.count == 0 && distribution.sum == 0)
        distribution.add(Interval.milliseconds(250))
        distribution.add(Interval.seconds(2))
        #expect(distribution.counts == [1, 1] && distribution.sum == 2.25)
    }

    @Test("Without bounds there is one range")
    func boundless() {
        var distribution = Distribution(bounds: [])
        distribution.add(3.0)
        #expect(distribution.counts == [1])
    }
}
