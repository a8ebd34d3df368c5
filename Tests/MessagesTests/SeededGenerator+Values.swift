internal import ServingModel

/// Values that tend to be awkward.
extension SeededGenerator {
    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percent
    }

    /// A whole number that is often small, sometimes zero and sometimes the bound.
    mutating func number(upTo bound: Int) -> Int {
        switch Int.random(in: 0..<8, using: &self) {
        case 0: 0
        case 1: bound
        case 2, 3, 4: Int.random(in: 0...min(bound, 200), using: &self)
        default: Int.random(in: 0...bound, using: &self)
        }
    }

    mutating func word() -> UInt64 {
        next() >> UInt64.random(in: 0..<64, using: &self)
    }

    mutating func real(in range: ClosedRange<Double> = -1000...1000) -> Double {
        chance(20) ? 0 : Double.random(in: range, using: &self)
    }

    mutating func text() -> String {
        let pieces = ["a", "Z", "9", " ", "\n", "ß", "é", "☃", "中", "👩‍🚀", "🇩🇪", "\u{1}", "\u{10FFFF}", "word "]
        return (0..<number(upTo: 12)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &self)] }.joined()
    }

    mutating func list<Element>(
        upTo count: Int = 4,
        _ make: (inout SeededGenerator) -> Element
    ) -> [Element] {
        (0..<Int.random(in: 0...count, using: &self)).map { _ in make(&self) }
    }

    mutating func maybe<Value>(_ make: (inout SeededGenerator) -> Value) -> Value? {
        chance(50) ? make(&self) : nil
    }
}
