import Testing

@testable import Reports

@Suite("Labels beside a plot")
struct LabelStackTests {
    @Test("Labels with room stay where they wish to be")
    func stay() {
        #expect(LabelStack.places(for: [50, 10, 90], distance: 16, top: 0, bottom: 100) == [50, 10, 90])
    }

    @Test("Labels that would overlap spread around their middle, in their order")
    func spread() {
        #expect(LabelStack.places(for: [52, 50], distance: 16, top: 0, bottom: 100) == [59, 43])
        #expect(LabelStack.places(for: [0, 0, 0], distance: 16, top: 0, bottom: 100) == [0, 16, 32])
        #expect(LabelStack.places(for: [100, 99], distance: 16, top: 0, bottom: 100) == [100, 84])
    }

    @Test("Whatever the wishes, no two are closer than asked for", arguments: 0..<50)
    func neverOverlap(seed: Int) {
        let wishes = (0..<6).map { Double((seed * 37 + $0 * $0 * 53) % 100) }
        let places = LabelStack.places(for: wishes, distance: 16, top: 0, bottom: 100).sorted()
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 > 16 - 1e-9 })
        #expect(places[0] > -1e-9 && places[5] < 100 + 1e-9)
    }
}
