import Testing

@testable import Reports

@Suite("Thinning")
struct ThinningTests {
    @Test("A line keeps its ends and extremes, and at most four points a column")
    func lines() {
        let points = (0..<100_000).map { Pixel(x: Double($0) / 250, y: Double($0 * 7919 % 1009)) }
        let thinned = Thinning.line(points, width: 400)
        #expect(thinned.count <= 1600)
        #expect(thinned.first == points.first && thinned.last == points.last)
        #expect(thinned.map(\.y).max() == 1008 && thinned.map(\.y).min() == 0)
        #expect(zip(thinned, thinned.dropFirst()).allSatisfy { $0.x < $1.x })
    }

    @Test("Few points are left alone")
    func few() {
        let points = (0..<10).map { Pixel(x: 0, y: Double($0)) }
        #expect(Thinning.line(points, width: 100) == points)
        #expect(Thinning.dots(points, limit: 10) == points)
    }

    @Test("Dots are thinned to the limit and still cover the same area")
    func dots() {
        let points = (0..<100_000).map { Pixel(x: Double($0 % 700), y: Double($0 * 7919 % 277)) }
        let thinned = Thinning.dots(points, limit: 2500)
        #expect(thinned.count <= 2500 && thinned.count > 1000)
        #expect((thinned.map(\.x).max() ?? 0) > 680 && (thinned.map(\.y).max() ?? 0) > 260)
    }
}
