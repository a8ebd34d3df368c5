/// One axis of a `Plot`: what it shows, in what quantity and on what scale.
package struct Axis: Hashable, Sendable {
    package enum Scale: Hashable, Sendable {
        case linear
        /// Base ten; values that are not positive are left out.
        case logarithmic
        /// Shares by their distance from one: 90 %, 99 % and 99.9 % are equally far apart, which shows tails.
        case nines
    }

    /// Without the unit, which is added behind it.
    package var title: String
    package var quantity: Quantity
    package var scale: Scale
    /// What is shown; nil for what the data need.
    package var range: ClosedRange<Double>?
    /// Whether a linear axis that chooses its range begins at zero even where the data are far from it.
    package var includesZero: Bool

    package init(
        _ title: String,
        _ quantity: Quantity = .number,
        scale: Scale = .linear,
        range: ClosedRange<Double>? = nil,
        includesZero: Bool = false
    ) {
        self.title = title
        self.quantity = quantity
        self.scale = scale
        self.range = range
        self.includesZero = includesZero
    }

    func shows(_ value: Double) -> Bool {
        switch scale {
        case .linear: value.isFinite
        case .logarithmic: value.isFinite && value > 0
        case .nines: value >= 0 && value <= 1
        }
    }
}
