internal import Scheduling
internal import ServingModel
internal import Simulation

/// A load with something about it changed, and the policy that is to bear it: a row of the studies of sensitivity.
struct StudyVariant: Sendable {
    /// As the table's row is called.
    var title: String
    var setting: LoadSetting
    var policy: String
    var lengths = SimulationStudy.Lengths.predicted(factor: 1)
    /// Policies know nothing of lengths beforehand and learn them from what finishes.
    var beginsWithoutHistory = false
    var modelError = 0.0
    var learnsStepTimes = true
    var dispatchDelay = Interval.zero

    init(_ title: String, _ setting: LoadSetting, policy: String = "aladdin") {
        self.title = title
        self.setting = setting
        self.policy = policy
    }

    init(_ setting: LoadSetting, _ policy: ComparedPolicy) {
        self.init(policy.title, setting, policy: policy.name)
        lengths = policy.lengths
    }

    /// A copy with some of it set.
    func with(_ change: (inout StudyVariant) -> Void) -> StudyVariant {
        var copy = self
        change(&copy)
        return copy
    }

    func minimum(_ data: DataFolder, _ scope: Scope, targets: [Double]? = nil) throws -> MinimumFinding {
        var study = try setting.study(data, .prefillPriority, seeds: scope.seeds)
        study.lengths = lengths
        study.modelError = modelError
        study.learnsStepTimes = learnsStepTimes
        study.dispatchDelay = dispatchDelay
        let search = try MinimumSearch(
            study,
            targets: targets ?? [0.99],
            meanField: try setting.meanField(data)
        )
        guard beginsWithoutHistory else { return try search.minimum(policy) }
        return try search.minimum { [study, policy] workers, workload, allowedMisses in
            var watch = SimulationStudy.Watch()
            watch.allowedMisses = allowedMisses
            return try study.run(policy, workers: workers, workload.withoutHistory, watch)?.misses
        }
    }
}

extension StudyWorkload {
    fileprivate var withoutHistory: StudyWorkload {
        StudyWorkload(
            seed: seed,
            queries: queries,
            lengths: LengthHistory(),
            seconds: seconds,
            warmUpSeconds: warmUpSeconds
        )
    }
}
