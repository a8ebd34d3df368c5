/// The attainment of some of a simulation's queries.
package struct AttainmentGroup: Hashable, Sendable {
    package let name: String
    package private(set) var queries = 0
    package private(set) var met = 0

    package init(_ name: String) {
        self.name = name
    }

    package var attainment: Double { queries > 0 ? Double(met) / Double(queries) : 1 }

    mutating func count(isMet: Bool) {
        queries += 1
        if isMet { met += 1 }
    }
}

/// The classes of output length that attainment is told apart by.
///
/// Short answers have the smallest budget for a stall, long ones gather the most: a mean over all hides either.
enum OutputLengthClass {
    private static let classes: [(name: String, longest: Int)] = [
        ("1", 1), ("2–19", 19), ("20–99", 99), ("100–299", 299), ("300–999", 999), ("1000 and more", .max),
    ]

    static var groups: [AttainmentGroup] { classes.map { AttainmentGroup($0.name) } }

    static func index(of outputTokens: Int) -> Int {
        classes.firstIndex { outputTokens <= $0.longest } ?? classes.count - 1
    }
}
