internal import ServingModel

extension ArrivalPlan {
    /// The queries to offer, in the order of their arrival, with times from the beginning of the load.
    ///
    /// Equal plans, traces and seeds give equal queries on every machine.
    ///
    /// - Parameters:
    ///   - trace: Its entries in the order of their arrival.
    ///   - seed: Of the draws.
    ///   - replicate: 0 for the first of several runs whose mean is taken. With the trace's own arrivals the others
    ///     begin elsewhere in the trace, at random by the seed.
    /// - Throws: `ArrivalPlanError` that names the option.
    package func entries(
        from trace: Trace,
        seed: UInt64,
        replicate: Int = 0
    ) throws(ArrivalPlanError) -> [Trace.Entry] {
        try validate()
        let kept = filtered(trace)
        guard !kept.entries.isEmpty else { throw nothingLeft(of: trace) }
        let load = try offeredLoad(kept)
        var seeds = SeededGenerator(seed: seed)
        var times = SeededGenerator(seed: seeds.next())
        var lengths = SeededGenerator(seed: seeds.next())
        var result: [Trace.Entry]
        switch arrivals {
        case .trace:
            var offset = Interval.seconds(rounding: offsetSeconds)
            let scaled = kept.scaled(rateBy: load.factor)
            if replicate > 0 { offset = offset + .seconds(rounding: times.uniform() * scaled.span.seconds) }
            result = try replayed(scaled, from: offset)
        case .poisson:
            let curve = RateCurve(constant: load.rate) * RateCurve(changes: changes)
            result = Self.arrivalTimes(curve, load.seconds, &times).map { time in
                var entry = kept.entries[lengths.index(below: kept.entries.count)]
                entry.arrival = time
                return entry
            }
        case .intensity(let binSeconds):
            let profile = IntensityProfile(kept, width: .seconds(rounding: binSeconds))
            let curve = profile.curve(durationSeconds: load.seconds, rate: load.rate) * RateCurve(changes: changes)
            result = Self.arrivalTimes(curve, load.seconds, &times).map { time in
                let fraction = time.seconds / load.seconds
                var entry = kept.entries[profile.draw(atFraction: fraction, using: &lengths)]
                entry.arrival = time
                return entry
            }
        }
        changeLengths(&result)
        guard !result.isEmpty else {
            throw ArrivalPlanError(option: "--duration-s", message: "no query arrives in \(load.seconds) s")
        }
        return result
    }

    /// The trace's own arrivals, with the time bent where the rate changes.
    private func replayed(_ scaled: Trace, from offset: Interval) throws(ArrivalPlanError) -> [Trace.Entry] {
        let duration = durationSeconds.map { Interval.seconds(rounding: $0) }
        guard changes.contains(where: { $0.rate != 1 }) else {
            return scaled.window(from: offset, lasting: duration).entries
        }
        let curve = RateCurve(changes: changes)
        let length = durationSeconds.map { Interval.seconds(rounding: curve.integral(toSeconds: $0)) }
        var entries = scaled.window(from: offset, lasting: length).entries
        for index in entries.indices {
            let time = curve.seconds(whenIntegralIs: entries[index].arrival.seconds)
            guard time <= Self.maxSeconds else {
                throw ArrivalPlanError(
                    option: "--drift",
                    message: "the trace would last \(time) s: expected at most 1e9"
                )
            }
            entries[index].arrival = .seconds(rounding: time)
        }
        if let duration { entries.removeAll { $0.arrival >= duration } }
        return entries
    }

    private static func arrivalTimes(
        _ curve: RateCurve,
        _ seconds: Double,
        _ generator: inout SeededGenerator
    ) -> [Interval] {
        let end = Interval.seconds(rounding: seconds)
        let total = curve.integral(toSeconds: seconds)
        var times: [Interval] = []
        times.reserveCapacity(Int(total * 1.1) + 16)
        var reached = generator.exponential()
        while reached < total {
            let time = Interval.seconds(rounding: min(curve.seconds(whenIntegralIs: reached), seconds))
            if time < end { times.append(time) }
            reached += generator.exponential()
        }
        return times
    }

    private func changeLengths(_ entries: inout [Trace.Entry]) {
        let lengthenings = changes.filter { $0.lengths != 1 }
        guard !lengthenings.isEmpty else { return }
        for index in entries.indices {
            let time = entries[index].arrival.seconds
            for change in lengthenings where change.applies(atSeconds: time) {
                entries[index].inputTokens = change.lengthened(entries[index].inputTokens)
                entries[index].outputTokens = change.lengthened(entries[index].outputTokens)
            }
        }
        entries.removeAll { isTooLong($0) || !canFit($0) }
    }
}
