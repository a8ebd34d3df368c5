/// Leaves out of a drawing what could not be seen in it.
enum Thinning {
    /// The points of a line, with at most four for each unit of width: where it comes in, its extremes, where it leaves.
    static func line(_ points: [Pixel], width: Double) -> [Pixel] {
        guard Double(points.count) > 2 * width else { return points }
        var result: [Pixel] = []
        var start = 0
        while start < points.count {
            let column = points[start].x.rounded(.down)
            var end = start
            var low = start
            var high = start
            while end + 1 < points.count, points[end + 1].x.rounded(.down) == column {
                end += 1
                if points[end].y < points[low].y { low = end }
                if points[end].y > points[high].y { high = end }
            }
            var last = -1
            for index in [start, min(low, high), max(low, high), end] where index > last {
                result.append(points[index])
                last = index
            }
            start = end + 1
        }
        return result
    }

    /// The first dot in each cell of a grid, coarse enough that at most `limit` remain.
    static func dots(_ points: [Pixel], limit: Int) -> [Pixel] {
        guard points.count > limit else { return points }
        guard let first = points.first else { return [] }
        var (left, right, top, bottom) = (first.x, first.x, first.y, first.y)
        for point in points {
            left = min(left, point.x)
            right = max(right, point.x)
            top = min(top, point.y)
            bottom = max(bottom, point.y)
        }
        var cell = 2.0
        while true {
            let columns = Int((right - left) / cell) + 1
            var taken = [Bool](repeating: false, count: columns * (Int((bottom - top) / cell) + 1))
            let kept = points.filter { point in
                let index = Int((point.y - top) / cell) * columns + Int((point.x - left) / cell)
                defer { taken[index] = true }
                return !taken[index]
            }
            if kept.count <= limit { return kept }
            cell *= 1.25
        }
    }
}
