/// One place of the measured grid, repetitions reduced to their median.
///
/// The median, because what goes wrong with a repetition (a clock ramping up, a neighbour) only ever makes it slower.
package struct MeasuredPoint: Hashable, Sendable {
    package var batch: Double
    /// Prompt tokens of a prefill, context tokens of a decode.
    package var tokens: Double
    package var milliseconds: Double
    package var repetitions = 1

    /// Groups prefills by batch and tokens, in that order.
    package static func points(of measurements: [PrefillMeasurement]) -> [MeasuredPoint] {
        reduce(
            measurements.map {
                MeasuredPoint(batch: Double($0.batch), tokens: Double($0.inputTokens), milliseconds: $0.milliseconds)
            }
        )
    }

    /// Groups decodes by batch and tokens, in that order.
    package static func points(of measurements: [DecodeMeasurement]) -> [MeasuredPoint] {
        reduce(
            measurements.map {
                MeasuredPoint(batch: Double($0.batch), tokens: Double($0.contextTokens), milliseconds: $0.milliseconds)
            }
        )
    }

    private static func reduce(_ all: [MeasuredPoint]) -> [MeasuredPoint] {
        let sorted = all.sorted { ($0.batch, $0.tokens, $0.milliseconds) < ($1.batch, $1.tokens, $1.milliseconds) }
        var points: [MeasuredPoint] = []
        var start = 0
        while start < sorted.count {
            let first = sorted[start]
            var end = start
            while end < sorted.count, sorted[end].batch == first.batch, sorted[end].tokens == first.tokens { end += 1 }
            var point = first
            point.milliseconds = Self.median(ascending: sorted[start..<end].map(\.milliseconds))
            point.repetitions = end - start
            points.append(point)
            start = end
        }
        return points
    }

    /// The middle value, or the mean of the two in the middle; 0 of none.
    static func median(ascending values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let middle = values.count / 2
        return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
    }
}
