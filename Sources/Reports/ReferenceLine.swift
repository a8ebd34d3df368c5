/// A line that the data are to be seen against: an objective, a bound, the day's mean.
package struct ReferenceLine: Hashable, Sendable {
    package enum Position: Hashable, Sendable {
        case x(Double)
        case y(Double)
        /// Where both axes show the same value: predicted equals measured.
        case diagonal
    }

    package var position: Position
    package var label: String

    package init(_ position: Position, _ label: String) {
        self.position = position
        self.label = label
    }

    package static func x(_ value: Double, _ label: String) -> ReferenceLine {
        ReferenceLine(.x(value), label)
    }

    package static func y(_ value: Double, _ label: String) -> ReferenceLine {
        ReferenceLine(.y(value), label)
    }

    package static func diagonal(_ label: String) -> ReferenceLine {
        ReferenceLine(.diagonal, label)
    }
}
