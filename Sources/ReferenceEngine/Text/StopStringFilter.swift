/// Ends text before the first stop string, and holds back what may become the beginning of one.
///
/// Which stop string is first does not depend on how the text was cut into tokens: it is the one that is complete
/// earliest, the longest of those that end together.
struct StopStringFilter: Equatable {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []

    /// - Parameter stops: none of them empty.
    init(stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }
    }

    /// Takes in text and returns what is certain now.
    ///
    /// - Returns: the text, and whether a stop string was found; then the text ends before it and nothing is held.
    mutating func append(_ text: [UInt8]) -> (text: [UInt8], stopped: Bool) {
        guard !stops.isEmpty else { return (text, false) }
        let searchedFrom = held.count
        held.append(contentsOf: text)
        for end in searchedFrom..<held.count {
            let ending = stops.filter { $0.count <= end + 1 && held[...end].suffix($0.count).elementsEqual($0) }
            if let longest = ending.map(\.count).max() {
                let certain = Array(held[..<(end + 1 - longest)])
                held.removeAll()
                return (certain, true)
            }
        }
        let keep = (0...min(held.count, longestPrefix)).last { length in
            stops.contains { length < $0.count && held.suffix(length).elementsEqual($0.prefix(length)) }
        }
        let certain = Array(held.dropLast(keep ?? 0))
        held.removeFirst(certain.count)
        return (certain, false)
    }

    /// What was held back, for an answer that ends otherwise.
    mutating func flush() -> [UInt8] {
        defer { held.removeAll() }
        return held
    }

    private var longestPrefix: Int {
        (stops.map(\.count).max() ?? 1) - 1
    }
}
