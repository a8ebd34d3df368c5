import ServingModel
import Simulation
import Testing

@Suite struct SimulationStudyTests {
    /// The least number by trying every size from one worker on, each run to its end.
    private func bruteForce(_ study: SimulationStudy, _ policy: String, attainment: Double) throws -> Int? {
        let workloads = try study.workloads()
        return try (1...30).first { workers in
            let runs = try workloads.compactMap { try study.run(policy, workers: workers, $0) }
            return SimulationSummary(runs).attainment >= attainment
        }
    }

    @Test(arguments: ["round-robin", "jsq", "aladdin"], [0.9, 0.99])
    func `The search finds what brute force finds, and the bound is below`(policy: String, attainment: Double) throws {
        let study = StudyFixture.study(seeds: [1, 2])
        let workloads = try study.workloads()
        let bound = study.bound(for: workloads, attainment: attainment)
        var search = MinimumWorkers(
            from: bound,
            through: 30,
            attainment: attainment,
            queries: workloads.map(\.counted.count)
        )
        var stopped = 0
        while let trial = search.next(ahead: false) {
            var watch = SimulationStudy.Watch()
            watch.allowedMisses = trial.allowedMisses
            let run = try study.run(policy, workers: trial.workers, workloads[trial.seed], watch)
            if run == nil { stopped += 1 }
            search.take(trial, misses: run?.misses)
        }
        let smallest = try #require(try bruteForce(study, policy, attainment: attainment))
        #expect(search.answer == .found(workers: smallest))
        #expect(bound <= smallest)
        #expect(stopped > 0 || smallest == bound)
    }

    @Test func `Equal studies give equal records, and another seed others`() throws {
        let study = StudyFixture.study(seeds: [1, 2])
        let workloads = try study.workloads()
        let again = try StudyFixture.study(seeds: [1, 2]).workloads()
        let first = try #require(try study.run("aladdin", workers: 4, workloads[0]))
        let second = try #require(try study.run("aladdin", workers: 4, again[0]))
        #expect(first.records == second.records)
        #expect(workloads[0].queries != workloads[1].queries)
    }

    @Test func `Watching a run closely does not change it`() throws {
        let study = StudyFixture.study()
        let workload = try study.workloads()[0]
        var watch = SimulationStudy.Watch()
        watch.isDetailed = true
        let plain = try #require(try study.run("jsq", workers: 4, workload))
        let watched = try #require(try study.run("jsq", workers: 4, workload, watch))
        #expect(plain.records == watched.records)
        #expect(plain.lateness == nil)
        let lateness = try #require(watched.lateness)
        #expect(lateness.tokens == workload.counted.reduce(0) { $0 + workload.queries[$1].outputTokens })
        #expect(!watched.load.isEmpty)
        #expect(watched.load.allSatisfy { $0.busy <= 4 && $0.workers == 4 })
    }

    @Test func `Tokens are late if a stall comes before them, not only at the end`() throws {
        // One query alone is never late; with a pace below its step every token but the first few is.
        var study = StudyFixture.study(queries: 1, rate: 0.2)
        study.warmUpSeconds = 0
        var watch = SimulationStudy.Watch()
        watch.isDetailed = true
        let relaxed = try #require(try study.run("jsq", workers: 2, try study.workloads()[0], watch))
        #expect(relaxed.lateness?.late == 0)
        study.objective = ServiceLevelObjective(
            timeToFirstToken: .milliseconds(1),
            averageTokenTime: Interval(nanoseconds: 1)
        )
        let strict = try #require(try study.run("jsq", workers: 2, try study.workloads()[0], watch))
        #expect(strict.lateness?.late == strict.lateness?.tokens)
    }

    @Test func `A run that has no chance left is stopped, one that has is not`() throws {
        let study = StudyFixture.study()
        let workload = try study.workloads()[0]
        var watch = SimulationStudy.Watch()
        let complete = try #require(try study.run("jsq", workers: 2, workload))
        watch.allowedMisses = complete.misses
        #expect(try study.run("jsq", workers: 2, workload, watch)?.records == complete.records)
        watch.allowedMisses = complete.misses / 2
        #expect(try study.run("jsq", workers: 2, workload, watch) == nil)
    }

    @Test func `A warm-up as long as the load names the option`() {
        var study = StudyFixture.study()
        study.warmUpSeconds = 30
        #expect { try study.workloads() } throws: { "\($0)".contains("--warmup-s") }
    }
}
