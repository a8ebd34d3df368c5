internal import Reports
internal import Scheduling
internal import ServingModel
internal import Simulation

/// What a load that comes and goes costs under each way of scaling, at the set point that is best for it.
struct FleetScaling: Study {
    static let name = "scaling"
    private static let target = 0.99

    struct Finding: Codable, Sendable {
        /// The thriftiest set point that reached the target; otherwise the one that came nearest.
        var setPoint: String
        var attainment: Double
        var workerSeconds: Double
        var reachesTarget: Bool
    }

    /// A scaler with its set points, the most generous first.
    struct Scaler: Sendable {
        var title: String
        var policy: String
        var setPoints: [Double]
        /// More generous ones, tried in turn where none of the usual ones is enough.
        var extremes: [Double] = []
        var make: @Sendable (Double, ScalingLoad) -> any ScalingPolicy
    }

    let data: DataFolder

    private func settings(_ scope: Scope) throws -> [ScalingSetting] {
        let all = try data.settings().scaling
        return scope == .full ? all : Array(all.prefix(1))
    }

    /// So many workers, whatever comes.
    ///
    /// - Parameter largest: the largest size that is tried, as a multiple of N_mf.
    static func fixed(_ policy: String, from largest: Double = 2.6) -> Scaler {
        let factors = stride(from: largest, through: 1.09, by: -0.1).map(\.self)
        let extremes = [3.2, 4, 5, 6.5, 8]
        return Scaler(title: "fixed, \(policy)", policy: policy, setPoints: factors, extremes: extremes) {
            factor,
            load in
            StaticScaling(workers: Int((load.meanField * factor).rounded(.up)))
        }
    }

    /// Kubernetes' autoscaler on the use of the KV cache.
    static func pods(_ policy: String) -> Scaler {
        let uses = [0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3]
        return Scaler(
            title: "HPA on KV use, \(policy)",
            policy: policy,
            setPoints: uses,
            extremes: [0.015, 0.01, 0.007, 0.005, 0.003]
        ) { target, _ in
            HorizontalPodAutoscaler(metric: .kvUse, target: target)
        }
    }

    private static let shares =
        [0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
    private static let smallShares = [0.2, 0.15, 0.1, 0.07, 0.05]

    /// By a forecast of the work that arrives, and its errors.
    static func forecast(_ policy: String) -> Scaler {
        shared("forecast, \(policy)", policy) { utilisation, load in
            ForecastScaling(utilisation: utilisation, startUp: load.startUp)
        }
    }

    /// A scaler whose set point is the share of a worker's capacity that is planned with.
    private static func shared(
        _ title: String,
        _ policy: String,
        make: @escaping @Sendable (Double, ScalingLoad) -> any ScalingPolicy
    ) -> Scaler {
        Scaler(title: title, policy: policy, setPoints: shares, extremes: smallShares, make: make)
    }

    static func scalers(_ scope: Scope) -> [Scaler] {
        let planner: @Sendable (Double, ScalingLoad) -> any ScalingPolicy = { utilisation, load in
            ThroughputPlanner(profile: load.profile, objective: load.objective, utilisation: utilisation)
        }
        let paper: @Sendable (Double, ScalingLoad) -> any ScalingPolicy = { utilisation, load in
            PaperScaling(utilisation: utilisation, ratePerWorker: load.ratePerWorker)
        }
        let few = [
            fixed("jsq"), fixed("aladdin"), pods("jsq"), pods("round-robin"),
            shared("planner, jsq", "jsq", make: planner),
            shared("planner, round-robin", "round-robin", make: planner),
            forecast("aladdin"),
        ]
        guard scope == .full else { return few }
        return few + [
            fixed("round-robin"),
            shared("the paper's, aladdin-paper", "aladdin-paper", make: paper),
            forecast("jsq"),
        ]
    }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let data = data
        return try settings(scope).flatMap { setting in
            startUps(setting, scope).flatMap { startUp in
                Self.scalers(scope).map { scaler in
                    Question(key(setting, startUp, scaler)) {
                        let load = try ScalingLoad(data, setting, startUpSeconds: startUp, seeds: scope.seeds)
                        return try Self.best(scaler, load, target: Self.target)
                    }
                }
            }
        }
    }

    private func startUps(_ setting: ScalingSetting, _ scope: Scope) -> [Double] {
        scope == .full ? setting.startupS : Array(setting.startupS.prefix(1))
    }

    private func key(_ setting: ScalingSetting, _ startUp: Double, _ scaler: Scaler) -> QuestionKey {
        QuestionKey(setting.name, "\(startUp.plain) s", scaler.title, policy: scaler.policy)
    }

    /// The thriftiest set point of a scaler that reaches the target.
    ///
    /// Goes from the most generous set point towards thrift until the target is missed twice running, then halves the
    /// gap between the last that reached it and the next.
    ///
    /// The other way round most of the time would go into fleets that drown.
    static func best(_ scaler: Scaler, _ load: ScalingLoad, target: Double) throws -> Finding {
        var trials = Trials()
        for setPoint in scaler.setPoints {
            trials.note(try trial(scaler, setPoint, load, target), at: setPoint)
            if trials.isSettled { break }
        }
        if !trials.haveReached {
            for setPoint in scaler.extremes where !trials.haveReached {
                trials.noteExtreme(try trial(scaler, setPoint, load, target, givesUpAt: 0.25), at: setPoint)
            }
        }
        for _ in 0..<halvings {
            guard let between = trials.between else { break }
            trials.note(try trial(scaler, between, load, target), at: between)
        }
        return trials.best ?? Finding(setPoint: "", attainment: 0, workerSeconds: 0, reachesTarget: false)
    }

    private static let halvings = 2

    /// - Returns: nil where the load was not worth following to its end.
    private static func trial(
        _ scaler: Scaler,
        _ setPoint: Double,
        _ load: ScalingLoad,
        _ target: Double,
        givesUpAt hopeless: Double = 0.05
    ) throws -> Finding? {
        let figures = try load.run(scaler.policy, scaler.make(setPoint, load), givesUpAt: hopeless)
        guard let figures else { return nil }
        return Finding(
            setPoint: DecimalText.fixed(setPoint, decimals: 3),
            attainment: figures.attainment,
            workerSeconds: figures.workerSeconds,
            reachesTarget: figures.attainment >= target
        )
    }

    /// What a scaler's set points gave so far.
    private struct Trials {
        /// The cheapest that reached the target; before one has, the one that came nearest.
        private(set) var best: Finding?
        /// The thriftiest set point that reached the target, and the most generous that is thriftier.
        private var reached: Double?
        private var missed: Double?
        private var missesRunning = 0

        /// Misses running after which nothing better is to be expected: more while nothing has reached the target.
        var isSettled: Bool { missesRunning >= (reached == nil ? 6 : 2) }

        var haveReached: Bool { reached != nil }

        /// What a set point beyond the usual ones gave; the one tried before is the next thriftier.
        mutating func noteExtreme(_ finding: Finding?, at setPoint: Double) {
            note(finding, at: setPoint)
            if !haveReached { missed = setPoint }
        }

        var between: Double? {
            guard let reached, let missed else { return nil }
            return (reached + missed) / 2
        }

        mutating func note(_ finding: Finding?, at setPoint: Double) {
            guard let finding, finding.reachesTarget else {
                missesRunning += 1
                if missesRunning == 1 || missed == nil { missed = setPoint }
                if best?.reachesTarget != true, let finding, finding.attainment > best?.attainment ?? 0 {
                    best = finding
                }
                return
            }
            missesRunning = 0
            reached = setPoint
            if best?.reachesTarget != true || finding.workerSeconds < best?.workerSeconds ?? .infinity {
                best = finding
            }
        }
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Scaling with the load")
        chapter.text(
            """
            The traces' ups and downs at a higher rate; workers cost something from the wish for them until they have
            drained. Each way of scaling has one set point, which is taken as thrifty as it can be with 99 % attainment:
            nobody has that luck beforehand, but it is the same luck for all. *Fixed* is the size as a multiple of N_mf of the
            mean rate; HPA is Kubernetes' autoscaler on the use of the KV cache; *planner* works like Dynamo's. For the planner,
            the paper's scaler and the forecast it is the share of a worker's computed capacity that is planned with; above 1
            it makes up for a margin elsewhere. Set points are tried from the generous end until two miss the target, and
            then twice halfway between the last that reached it and the next; where the most generous misses, up to five that
            are far more generous still (a fixed fleet of eight times N_mf, say) are tried. "Below 95 %" says that no set point
            was worth being followed to its end. A row that is not there was not asked.

            The forecast keeps a reserve of workers for bursts that come out of nothing, once it has seen some. The first large
            one of the code trace, in its fourth minute, finds no reserve, whatever the set point; and there the others have
            to keep a fleet for such bursts all the time as well.
            """
        )
        for setting in try settings(findings.scope) {
            for startUp in startUps(setting, findings.scope) {
                let rows = Self.scalers(findings.scope).compactMap { scaler -> [Cell]? in
                    guard let finding = findings[key(setting, startUp, scaler)] else { return nil }
                    let cost = Cell.number(finding.workerSeconds / 1000, decimals: 0)
                    return [
                        Cell(scaler.title), finding.reachesTarget ? cost : Cell("misses 99 %"),
                        finding.attainment > 0 ? .share(finding.attainment).asBound : Cell("below 95 %"),
                        Cell(finding.setPoint),
                    ]
                }
                guard !rows.isEmpty else { continue }
                chapter.heading("\(setting.name), \(startUp.plain) s to start a worker")
                chapter.table(["", "thousand worker-seconds", "attainment", "set point"], rows, best: .least)
            }
        }
        chapter.provenance(findings)
        return chapter
    }
}
