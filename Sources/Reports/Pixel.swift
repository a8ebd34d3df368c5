/// A place in a drawing.
struct Pixel: Hashable {
    var x: Double
    var y: Double

    var text: String { DecimalText.coordinate(x) + " " + DecimalText.coordinate(y) }
}

/// A rectangle in a drawing.
struct Box: Hashable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    func grown(by margin: Double) -> Box {
        Box(x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin)
    }

    func isInside(width: Double, height: Double) -> Bool {
        x >= 0 && y >= 0 && x + self.width <= width && y + self.height <= height
    }
}
