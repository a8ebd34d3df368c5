internal import ArgumentParser
internal import ServiceSettings
internal import Simulation

/// Which queries arrive, and when.
struct LoadOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Mean queries per second, of those left after the filters.",
        transform: SettingForm.rate.argument
    )
    var rate: Double?

    @Option(
        parsing: .unconditional,
        help: "How many times as fast as in the trace queries arrive; instead of --rate.",
        transform: SettingForm.factor.argument
    )
    var rateScale: Double?

    @Option(help: "trace: its own; poisson: at random; intensity: at random, as many at a time as in the trace.")
    var arrivals = "trace"

    @Option(
        name: .customLong("intensity-bin-s"),
        parsing: .unconditional,
        help: "How finely --arrivals intensity follows the trace, in seconds. (default: 10)",
        transform: SettingForm.number(1e-3...1e9, of: "seconds").argument
    )
    var intensityBin = 10.0

    @Option(
        name: .customLong("duration-s"),
        parsing: .unconditional,
        help:
            "How long queries arrive, in seconds, warm-up included; a shorter trace starts again. (default: the trace)",
        transform: SettingForm.seconds.argument
    )
    var duration: Double?

    @Option(
        name: .customLong("offset-s"),
        parsing: .unconditional,
        help: "Where in the trace to begin, in seconds. (default: 0)",
        transform: SettingForm.number(0...1e9, of: "seconds").argument
    )
    var offset = 0.0

    @Option(
        parsing: .unconditional,
        help: "Leave out queries with longer prompts.",
        transform: SettingForm.integer(1 ... .max).argument
    )
    var maxInputTokens: Int?

    @Option(
        help: "FROM_S:lengths=F:rate=F: from then on other lengths or another rate, by these factors. Repeatable."
    )
    var drift: [String] = []

    @Option(help: "FROM_S:LASTING_S:F: for a while the rate times F. Repeatable.")
    var burst: [String] = []

    @Flag(
        help: """
            Queries of one session_id wait for each other's answers: a rate says how fast sessions begin, and the time from \
            an answer to the next query stays the trace's.
            """
    )
    var closedLoop = false

    func plan() throws -> ArrivalPlan {
        var plan = ArrivalPlan()
        switch arrivals {
        case "trace": plan.arrivals = .trace
        case "poisson": plan.arrivals = .poisson
        case "intensity": plan.arrivals = .intensity(binSeconds: intensityBin)
        default: throw ValidationError("--arrivals is '\(arrivals)'; it must be trace, poisson or intensity")
        }
        plan.rate = rate
        plan.rateScale = rateScale
        plan.durationSeconds = duration
        plan.offsetSeconds = offset
        plan.maxInputTokens = maxInputTokens
        plan.changes = try drift.map(Self.drift) + burst.map(Self.burst)
        do {
            try plan.validate()
        } catch {
            throw ValidationError("\(error)")
        }
        return plan
    }

    /// Whether queries wait for each other's answers.
    ///
    /// - Parameter warmUp: in seconds.
    func isClosedLoop(_ trace: Trace, warmUp: Double) throws -> Bool {
        guard closedLoop else { return false }
        guard arrivals == "trace" else { throw ValidationError("--closed-loop is for --arrivals trace") }
        guard warmUp == 0 else { throw ValidationError("--closed-loop counts every query; leave --warmup-s out") }
        guard trace.entries.contains(where: { $0.session != nil }) else {
            throw ValidationError("--closed-loop: no query of the trace has a session_id")
        }
        return true
    }

    private static func drift(_ text: String) throws -> LoadChange {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var change = LoadChange.drift(fromSeconds: Double(parts[0]) ?? .nan)
        var isGood = change.fromSeconds.isFinite && parts.count > 1
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            let factor = pair.count == 2 ? Double(pair[1]) : nil
            switch (pair.first, factor) {
            case ("lengths", let factor?): change.lengths = factor
            case ("rate", let factor?): change.rate = factor
            default: isGood = false
            }
        }
        guard isGood else {
            throw ValidationError("--drift is '\(text)'; it must be like 150:lengths=1.5 or 150:rate=0.8:lengths=2")
        }
        return change
    }

    private static func burst(_ text: String) throws -> LoadChange {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard numbers.count == 3, let from = numbers[0], let lasting = numbers[1], let factor = numbers[2] else {
            throw ValidationError("--burst is '\(text)'; it must be FROM_S:LASTING_S:FACTOR, for example 100:20:3")
        }
        return .burst(fromSeconds: from, lastingSeconds: lasting, rate: factor)
    }
}
