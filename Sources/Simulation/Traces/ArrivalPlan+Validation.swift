internal import ServingModel

extension ArrivalPlan {
    /// How fast and for how long queries are offered, changes of the load aside.
    struct OfferedLoad {
        /// On the trace's own rate.
        var factor: Double
        /// Per second.
        var rate: Double
        var seconds: Double
    }

    private static func check(
        _ value: Double?,
        _ option: String,
        in range: ClosedRange<Double>,
        _ expected: String
    ) throws(ArrivalPlanError) {
        guard let value, !range.contains(value) else { return }
        throw ArrivalPlanError(option: option, message: "\(value) is given: expected \(expected)")
    }

    /// Checks what can be checked without a trace.
    package func validate() throws(ArrivalPlanError) {
        let positive = Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude
        try Self.check(rate, "--rate", in: positive, "queries per second, above 0")
        try Self.check(rateScale, "--rate-scale", in: positive, "a factor above 0")
        if rate != nil, rateScale != nil {
            throw ArrivalPlanError(option: "--rate", message: "give it or --rate-scale, not both")
        }
        try Self.check(durationSeconds, "--duration-s", in: 1e-9...Self.maxSeconds, "seconds above 0, at most 1e9")
        try Self.check(offsetSeconds, "--offset-s", in: 0...Self.maxSeconds, "seconds from 0, at most 1e9")
        if arrivals != .trace, offsetSeconds > 0 {
            throw ArrivalPlanError(option: "--offset-s", message: "applies to --arrivals trace only")
        }
        if case .intensity(let width) = arrivals {
            try Self.check(width, "--intensity-bin-s", in: 1e-3...Self.maxSeconds, "seconds from 0.001, at most 1e9")
        }
        if let maxInputTokens, maxInputTokens < 1 {
            throw ArrivalPlanError(
                option: "--max-input-tokens",
                message: "\(maxInputTokens) is given: expected a whole number from 1"
            )
        }
        for change in changes {
            let option = change.untilSeconds == nil ? "--drift" : "--burst"
            try Self.check(change.fromSeconds, option, in: 0...Self.maxSeconds, "a beginning in seconds from 0")
            let after = change.fromSeconds.nextUp...Double.greatestFiniteMagnitude
            try Self.check(change.untilSeconds, option, in: after, "an end after the beginning")
            try Self.check(change.rate, option, in: 1e-3...1e3, "a factor on the rate of 0.001 to 1000")
            try Self.check(change.lengths, option, in: 1e-3...1e3, "a factor on lengths of 0.001 to 1000")
        }
    }

    /// Why the filters keep nothing of a trace.
    package func nothingLeft(of trace: Trace) -> ArrivalPlanError {
        if trace.entries.isEmpty { return ArrivalPlanError(option: "--trace", message: "there is no query in it") }
        if let maxInputTokens, trace.entries.allSatisfy(isTooLong) {
            return ArrivalPlanError(
                option: "--max-input-tokens",
                message: "every prompt of the trace is longer than \(maxInputTokens) tokens"
            )
        }
        return ArrivalPlanError(
            option: "--profile",
            message: "every query is left out, as each needs more than 0.9 of the \(kvCapacityTokens ?? 0) tokens"
                + " that the KV cache holds"
        )
    }

    /// The load that the options ask for, of a trace after the filters.
    func offeredLoad(_ trace: Trace) throws(ArrivalPlanError) -> OfferedLoad {
        let own = trace.rate
        let option = rate != nil ? "--rate" : rateScale != nil ? "--rate-scale" : "--trace"
        if own == 0, arrivals == .trace ? rate != nil : rate == nil {
            throw ArrivalPlanError(
                option: option,
                message: "the trace has no rate of its own, as all its queries arrive at once"
            )
        }
        if case .intensity(let width) = arrivals, trace.span.seconds / width > Self.maxBins {
            throw ArrivalPlanError(
                option: "--intensity-bin-s",
                message: "\(width) is given for a trace of \(trace.span.seconds) s: expected at most a million bins"
            )
        }
        let factor = rate.map { own > 0 ? $0 / own : 1 } ?? rateScale ?? 1
        let offered = rate ?? own * factor
        let last = (trace.entries.last?.arrival.seconds ?? 0) / factor
        guard last <= Self.maxSeconds, offered.isFinite else {
            throw ArrivalPlanError(option: option, message: "the trace would last \(last) s: expected at most 1e9")
        }
        let seconds = durationSeconds ?? (offered > 0 ? Double(trace.entries.count) / offered : 0)
        let most = changes.reduce(offered) { $0 * max(1, $1.rate) }
        let queries = durationSeconds == nil && arrivals == .trace ? 0 : most * seconds
        guard queries <= Self.maxQueries, seconds <= Self.maxSeconds else {
            throw ArrivalPlanError(
                option: durationSeconds == nil ? option : "--duration-s",
                message: "\(queries.rounded()) queries in \(seconds) s: expected at most 10 million in 1e9 s"
            )
        }
        return OfferedLoad(factor: factor, rate: offered, seconds: seconds)
    }
}
