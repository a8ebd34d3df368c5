internal import ArgumentParser
internal import Scheduling
internal import ServiceSettings
internal import ServingModel
internal import Simulation

/// Whether the workers stay the same: whether their number follows the load, and whether they fail.
struct ScalingOptions: ParsableArguments {
    @Option(
        help: """
            Start and drain workers by the load, from --workers on: forecast, paper, planner or hpa, with settings as \
            in forecast:utilisation=0.9.
            """
    )
    var autoscale: String?

    @Option(
        name: .customLong("startup-s"),
        parsing: .unconditional,
        help: "How long a worker takes to start. (default: 30)",
        transform: SettingForm.number(0...86_400, of: "seconds").argument
    )
    var startUp = 30.0

    @Option(
        name: .customLong("mtbf-s"),
        parsing: .unconditional,
        help: """
            Workers fail at random, each after so many seconds on average, and serve again --startup-s later; what they had \
            is tried elsewhere.
            """,
        transform: SettingForm.number(1...1e9, of: "seconds").argument
    )
    var meanTimeBetweenFailures: Double?

    func failures() throws -> WorkerFailures? {
        guard let mean = meanTimeBetweenFailures else { return nil }
        guard autoscale == nil else {
            throw ValidationError("--mtbf-s is for a fixed number of workers; give it or --autoscale, not both")
        }
        return WorkerFailures(meanSeconds: mean, restart: startUpTime)
    }

    private var startUpTime: Interval { .seconds(rounding: startUp) }

    /// - Parameter study: complete but for its scaling.
    func scaling(_ study: SimulationStudy, _ workloads: [StudyWorkload]) throws -> SimulatedScaling? {
        guard let autoscale else { return nil }
        guard study.workers.parts.count == 1 else { throw ValidationError("--autoscale is for workers of one profile") }
        let profile = study.workers.parts[0].profile
        let workload = workloads[0]
        let sizes = workload.queries.map { QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens) }
        let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: study.objective.averageTokenTime)
        let rate = Double(sizes.count) / max(workload.seconds, 1e-9)
        let perWorker = rate / max(capacity.workers(rate: rate, queries: sizes), 1e-9)
        let fleet = ScalingCatalog.Fleet(
            profile: profile,
            objective: study.objective,
            ratePerWorker: perWorker,
            startUp: startUpTime
        )
        do throws(PolicyError) {
            var scaling = SimulatedScaling(policy: try ScalingCatalog.make(autoscale, for: fleet))
            scaling.startUpTime = startUpTime
            scaling.objective = study.objective
            scaling.ratePerWorker = perWorker
            return scaling
        } catch {
            throw ValidationError("--autoscale: \(error)")
        }
    }
}
