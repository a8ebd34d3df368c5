package import ServingModel

/// How many workers there were over time, as steps.
package struct FleetTimeline: Hashable, Sendable {
    /// The fleet from an instant on until the next step.
    package struct Step: Hashable, Sendable {
        package var time: Instant
        package var active: Int
        package var starting: Int
        package var draining: Int
        /// Workers that only prefill (split-phase serving); they stay.
        package var prefilling: Int

        /// All that cost something.
        package var workers: Int { active + starting + draining + prefilling }
    }

    /// In order of time; no two of the same time, and neighbours differ.
    package private(set) var steps: [Step] = []

    mutating func note(_ step: Step) {
        if steps.last?.time == step.time { steps.removeLast() }
        if let last = steps.last, last.same(as: step) { return }
        steps.append(step)
    }

    /// Worker-seconds used in a span of time: starting and draining workers count.
    package func workerSeconds(from start: Instant = .zero, to end: Instant) -> Double {
        var seconds = 0.0
        for (index, step) in steps.enumerated() {
            let begin = max(step.time, start)
            let next = index + 1 < steps.count ? min(steps[index + 1].time, end) : end
            if next > begin { seconds += Double(step.workers) * (next - begin).seconds }
        }
        return seconds
    }

    /// The most workers there were at once.
    package var largest: Int { steps.reduce(0) { max($0, $1.workers) } }
}

extension FleetTimeline.Step {
    /// Whether the fleet is the same, whenever that was.
    fileprivate func same(as other: Self) -> Bool {
        var other = other
        other.time = time
        return self == other
    }
}
