import ServingModel
import Simulation
import Testing

@Suite struct QuantilesTests {
    @Test func `Quantiles are the nearest rank, always one of the values`() throws {
        let hundred = try #require(Quantiles((1...100).reversed().map { .milliseconds(Int64($0)) }))
        #expect(hundred.p50 == .milliseconds(50))
        #expect(hundred.p90 == .milliseconds(90))
        #expect(hundred.p99 == .milliseconds(99))
        let seven = try #require(Quantiles((1...7).map { .milliseconds(Int64($0)) }))
        #expect(seven.p50 == .milliseconds(4))
        #expect(seven.p90 == .milliseconds(7))
    }

    @Test func `A single value is every quantile, and none has none`() throws {
        let one = try #require(Quantiles([.seconds(3)]))
        #expect([one.p50, one.p90, one.p99] == [.seconds(3), .seconds(3), .seconds(3)])
        #expect(Quantiles([]) == nil)
    }
}
