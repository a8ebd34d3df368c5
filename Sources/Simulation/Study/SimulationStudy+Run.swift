internal import Batching
internal import Brokering
package import Scheduling
internal import ServingModel

extension SimulationStudy {
    /// How a run is watched.
    package struct Watch: Sendable {
        /// Stops the run as soon as more queries than this have certainly missed their objectives.
        package var allowedMisses: Int?
        /// Follows single tokens and the fleet's load, which costs some time.
        package var isDetailed = false
        /// Reads a clock, in nanoseconds, to time decisions.
        package var stopwatch: (@Sendable () -> UInt64)?
        /// Is told now and then which share of the arrivals is past; false stops the run.
        package var progress: (@Sendable (Double) -> Bool)?

        package init() {}
    }

    /// Events between two reports of progress.
    private static let progressStride = 2048
    /// How often a run is asked whether it is lost already, over the length of its arrivals.
    private static let verdicts = 64

    /// Runs one workload; nil if the watch stopped it.
    ///
    /// - Throws: `PolicyError` for a policy that there is not.
    package func run(
        _ policy: String,
        workers count: Int,
        _ workload: StudyWorkload,
        _ watch: Watch = Watch()
    ) throws(PolicyError) -> SimulationRun? {
        let profiles = workers.profiles(of: count)
        let scheduler = Scheduler(
            policy: try PolicyCatalog.make(policy, seed: workload.seed),
            lengths: workload.lengths,
            learnsStepTimes: learnsStepTimes
        )
        var simulation = ClusterSimulation(
            profiles: profiles,
            believed: modelError == 0 ? nil : profiles.map { $0.slowed(by: 1 + modelError) },
            queries: workload.queries,
            scheduler: scheduler,
            configuration: configuration(watch, profiles, workload)
        )
        var observer = watch.isDetailed ? RunObserver(until: workload.seconds) : nil
        let verdictDistance = Interval.seconds(rounding: max(workload.seconds, 1) / Double(Self.verdicts))
        var nextVerdict = Instant.zero + verdictDistance
        var events = 0
        while simulation.advance() {
            observer?.observe(simulation)
            events += 1
            if events.isMultiple(of: Self.progressStride), let progress = watch.progress {
                let share = workload.seconds > 0 ? min(simulation.now.seconds / workload.seconds, 1) : 1
                guard progress(share) else { return nil }
            }
            if let allowed = watch.allowedMisses, simulation.now >= nextVerdict {
                nextVerdict = simulation.now + verdictDistance
                if Self.misses(in: simulation, workload, exceed: allowed) { return nil }
            }
        }
        let workload = workload.arrived(simulation.records)
        let workerSeconds = simulation.fleet.workerSeconds(to: .zero + .seconds(rounding: workload.seconds))
        return SimulationRun(
            workload: workload,
            records: simulation.records,
            decisionTimes: simulation.decisionTimes,
            workerSeconds: workerSeconds,
            gpuSeconds: scaling == nil
                ? Double(gpus(of: count)) * workload.seconds : workerSeconds * Double(workers.parts[0].profile.gpus),
            cachedPromptShare: simulation.cachedPromptShare,
            lateness: observer?.lateness(of: workload, simulation.records),
            load: observer?.load ?? []
        )
    }

    /// Of a fleet of `count` workers, those that only prefill included.
    package func gpus(of count: Int) -> Int {
        workers.gpus(of: count) + prefillWorkers * workers.parts[0].profile.gpus
    }

    private func configuration(
        _ watch: Watch,
        _ profiles: [LatencyProfile],
        _ workload: StudyWorkload
    ) -> ClusterSimulation.Configuration {
        var configuration = ClusterSimulation.Configuration(
            mode: mode,
            dispatchDelay: dispatchDelay,
            tellsLengths: lengths == .oracle,
            stopwatch: watch.stopwatch
        )
        if prefillWorkers > 0 {
            configuration.split = SplitPhase(
                profiles: Array(repeating: workers.parts[0].profile, count: prefillWorkers)
            )
        }
        configuration.scaling = scaling
        configuration.keepsPrefixes = keepsPrefixes
        configuration.admission = admission
        if let failures {
            configuration.changes = failures.changes(of: profiles, until: workload.seconds, seed: workload.seed)
        }
        return configuration
    }

    private static func misses(
        in simulation: ClusterSimulation,
        _ workload: StudyWorkload,
        exceed allowed: Int
    ) -> Bool {
        var misses = 0
        let isOrdered = !workload.hasConversations
        for index in workload.counted {
            let progress = simulation.queries[index]
            guard progress.record.arrival != nil else {
                if isOrdered { break }
                continue
            }
            guard progress.query.isLost(by: progress.record, at: simulation.now) else { continue }
            misses += 1
            if misses > allowed { return true }
        }
        return false
    }
}

extension LatencyProfile {
    /// The same, every time taking `factor` times as long.
    fileprivate func slowed(by factor: Double) -> LatencyProfile {
        var result = self
        result.prefill.c0Milliseconds *= factor
        result.prefill.c1Milliseconds *= factor
        result.prefill.k1Milliseconds *= factor
        result.prefill.k1qMilliseconds *= factor
        result.prefill.k1AboveKneeMilliseconds *= factor
        result.decode.c3Milliseconds *= factor
        result.decode.c2Milliseconds *= factor
        result.decode.k2Milliseconds *= factor
        result.decode.c2AboveKneeMilliseconds *= factor
        result.decode.expertMilliseconds *= factor
        result.mixedConstantMilliseconds = mixedConstantMilliseconds.map { $0 * factor }
        return result
    }
}
