/// Positions with a key each, of which the least are wanted: a tournament tree, the lower position first of equals.
///
/// Complexity: a new key O(log n), the k least O(k log n).
struct Tournament: Sendable {
    private var keys: [Int]
    /// The position that wins below each node, -1 for none; the root is node 1, leaves begin at `width`.
    private var winners: [Int32]
    private let width: Int

    init(keys: [Int]) {
        self.keys = keys
        var width = 1
        while width < keys.count { width *= 2 }
        self.width = width
        winners = [Int32](repeating: -1, count: 2 * width)
        for position in keys.indices { winners[width + position] = Int32(position) }
        for node in stride(from: width - 1, to: 0, by: -1) { play(node) }
    }

    mutating func set(_ position: Int, to key: Int) {
        guard keys[position] != key else { return }
        keys[position] = key
        replay(from: position)
    }

    /// The positions of the least keys, the least first.
    mutating func least(_ count: Int) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(min(count, keys.count))
        while result.count < count, winners[1] >= 0 {
            let winner = Int(winners[1])
            result.append(winner)
            winners[width + winner] = -1
            replay(from: winner)
        }
        for position in result {
            winners[width + position] = Int32(position)
            replay(from: position)
        }
        return result
    }

    private mutating func replay(from position: Int) {
        var node = (width + position) / 2
        while node > 0 {
            play(node)
            node /= 2
        }
    }

    private mutating func play(_ node: Int) {
        let (left, right) = (winners[2 * node], winners[2 * node + 1])
        let leftWins = right < 0 || (left >= 0 && keys[Int(left)] <= keys[Int(right)])
        winners[node] = leftWins ? left : right
    }
}
