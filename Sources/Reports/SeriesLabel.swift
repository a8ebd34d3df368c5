/// A series' name, written where its line is.
struct SeriesLabel {
    let text: String
    let colour: SeriesColour
    /// Of the start of the baseline.
    let x: Double
    let y: Double
    /// Where a thin line to the label begins; nil where the label is close enough.
    let leader: Pixel?

    private static let height = 16.0

    var box: Box {
        Box(x: x, y: y - 12, width: Self.extent(of: text), height: 15)
    }

    /// Labels in a column on the right, and the width that the column needs; nil where the lines end too close
    /// together, too far from the edge, or the names are too long.
    static func beside(
        _ series: [DrawnSeries],
        width: Double,
        plotWidth: Double,
        plotHeight: Double
    ) -> (labels: [SeriesLabel], width: Double)? {
        let named = series.filter { !$0.series.name.isEmpty && !$0.points.isEmpty }
        let ends = named.compactMap(\.points.last)
        // Lines that end at the same height are kept in the order that they had before.
        let means = named.map { drawn in drawn.points.reduce(0) { $0 + $1.y } / Double(drawn.points.count) }
        let widest = named.map { extent(of: $0.series.name) }.max() ?? 0
        guard !named.isEmpty, !named.contains(where: { $0.series.form == .dots }), widest < width * 0.32,
            ends.allSatisfy({ $0.x > plotWidth * 0.9 && $0.x < plotWidth + 1 && $0.y > -1 && $0.y < plotHeight + 1 })
        else { return nil }
        let order = named.indices.sorted { (ends[$0].y, means[$0], $0) < (ends[$1].y, means[$1], $1) }
        let places = LabelStack.places(
            for: order.map { ends[$0].y },
            distance: height,
            top: 4,
            bottom: plotHeight
        )
        guard zip(order, places).allSatisfy({ (ends[$0].y - $1).magnitude < 2.2 * height }) else { return nil }
        let isMoved = zip(order, places).contains { (ends[$0].y - $1).magnitude > 5 || plotWidth - ends[$0].x > 12 }
        let gap = isMoved ? 24.0 : 8
        let labels = zip(order, places).map { index, place in
            SeriesLabel(
                text: named[index].series.name,
                colour: named[index].colour,
                x: plotWidth + gap,
                y: place + 4.5,
                leader: isMoved ? Pixel(x: ends[index].x + 5, y: ends[index].y) : nil
            )
        }
        return (labels, widest + gap + 2)
    }

    /// Labels within the plot, each touching no line and nearest to its own; nil where one finds no room.
    static func within(_ series: [DrawnSeries], plotWidth: Double, plotHeight: Double) -> [SeriesLabel]? {
        var occupancy = Occupancy(width: plotWidth, height: plotHeight)
        for drawn in series { drawn.occupy(&occupancy) }
        var result: [SeriesLabel] = []
        for drawn in series.reversed() where !drawn.series.name.isEmpty && !drawn.points.isEmpty {
            guard drawn.series.form != .dots, let label = within(drawn, occupancy, plotWidth, plotHeight) else {
                return nil
            }
            occupancy.add(label.box)
            result.append(label)
        }
        return result.isEmpty ? nil : result
    }

    private static func within(
        _ drawn: DrawnSeries,
        _ occupancy: Occupancy,
        _ plotWidth: Double,
        _ plotHeight: Double
    ) -> SeriesLabel? {
        let extent = extent(of: drawn.series.name)
        var best: (label: SeriesLabel, cost: Int)?
        for place in drawn.samples(count: 40) {
            let corners = [
                Pixel(x: place.x + 8, y: place.y + 4.5), Pixel(x: place.x - extent - 8, y: place.y + 4.5),
                Pixel(x: place.x + 6, y: place.y + 17), Pixel(x: place.x - extent - 6, y: place.y - 8),
                Pixel(x: place.x - extent / 2, y: place.y - 9), Pixel(x: place.x - extent / 2, y: place.y + 19),
            ]
            for corner in corners {
                let label = SeriesLabel(
                    text: drawn.series.name,
                    colour: drawn.colour,
                    x: corner.x,
                    y: corner.y,
                    leader: nil
                )
                let box = label.box
                guard box.isInside(width: plotWidth, height: plotHeight) else { continue }
                let touched = occupancy.overlap(box.grown(by: 2), with: drawn.index)
                guard touched.others == 0, touched.own <= 2 else { continue }
                // A label between two lines could belong to either.
                let near = occupancy.overlap(box.grown(by: 10), with: drawn.index)
                guard near.others <= 6 else { continue }
                let cost = 3 * near.others + touched.own
                if cost < best?.cost ?? .max { best = (label, cost) }
            }
        }
        return best?.label
    }

    private static func extent(of name: String) -> Double {
        TextWidth.of(name) * 1.06
    }
}

extension DrawnSeries {
    /// Marks where it is drawn.
    func occupy(_ occupancy: inout Occupancy) {
        if series.form == .dots {
            for point in points { occupancy.add(point, series: index) }
        } else {
            occupancy.add(outline, series: index)
        }
    }

    /// Places along its line, evenly far apart.
    func samples(count: Int) -> [Pixel] {
        let outline = outline
        let lengths = zip(outline, outline.dropFirst()).map { ($0.x - $1.x).magnitude + ($0.y - $1.y).magnitude }
        let total = lengths.reduce(0, +)
        guard total > 0, count > 1 else { return Array(outline.prefix(1)) }
        var result: [Pixel] = []
        var segment = 0
        var passed = 0.0
        for step in 0..<count {
            let target = total * Double(step) / Double(count - 1)
            while segment < lengths.count - 1, passed + lengths[segment] < target {
                passed += lengths[segment]
                segment += 1
            }
            let share = lengths[segment] > 0 ? min(1, (target - passed) / lengths[segment]) : 0
            let (from, to) = (outline[segment], outline[segment + 1])
            result.append(Pixel(x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share))
        }
        return result
    }
}
