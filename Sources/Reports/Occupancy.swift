/// Which parts of a plot are drawn upon, and by which series, so that labels find free room.
struct Occupancy {
    private static let cell = 3.0
    /// The bit of everything that is not a series: labels, and series beyond the first 63.
    static let other = 63

    private let columns: Int
    private let rows: Int
    private var masks: [UInt64]

    init(width: Double, height: Double) {
        columns = Int(width / Self.cell) + 1
        rows = Int(height / Self.cell) + 1
        masks = [UInt64](repeating: 0, count: columns * rows)
    }

    /// Marks a line that `series` draws.
    mutating func add(_ line: [Pixel], series: Int) {
        for (from, to) in zip(line, line.dropFirst()) {
            let distance = max((to.x - from.x).magnitude, (to.y - from.y).magnitude)
            let count = Int(max(1, min(distance / 2, 2000)))
            for step in 0...count {
                let share = Double(step) / Double(count)
                add(Pixel(x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share), series: series)
            }
        }
    }

    mutating func add(_ dot: Pixel, series: Int) {
        let (x, y) = (dot.x / Self.cell, dot.y / Self.cell)
        guard x >= 0, x < Double(columns), y >= 0, y < Double(rows) else { return }
        let (column, row) = (Int(x), Int(y))
        masks[row * columns + column] |= 1 << UInt64(min(series, Self.other))
    }

    mutating func add(_ box: Box) {
        guard let (across, down) = cells(of: box) else { return }
        for row in down {
            for column in across { masks[row * columns + column] |= 1 << UInt64(Self.other) }
        }
    }

    /// How many cells of `box` are drawn upon by anything but `series`, and how many by it.
    func overlap(_ box: Box, with series: Int? = nil) -> (others: Int, own: Int) {
        let ownMask: UInt64 = series.map { 1 << UInt64(min($0, Self.other)) } ?? 0
        guard let (across, down) = cells(of: box) else { return (0, 0) }
        var result = (others: 0, own: 0)
        for row in down {
            for mask in masks[row * columns + across.lowerBound...row * columns + across.upperBound] where mask != 0 {
                if mask & ~ownMask != 0 { result.others += 1 }
                if mask & ownMask != 0 { result.own += 1 }
            }
        }
        return result
    }

    private func cells(of box: Box) -> (across: ClosedRange<Int>, down: ClosedRange<Int>)? {
        let left = max(0, Int(box.x / Self.cell))
        let right = min(columns - 1, Int((box.x + box.width) / Self.cell))
        let top = max(0, Int(box.y / Self.cell))
        let bottom = min(rows - 1, Int((box.y + box.height) / Self.cell))
        return left <= right && top <= bottom ? (left...right, top...bottom) : nil
    }
}
