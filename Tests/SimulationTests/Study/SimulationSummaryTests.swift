import ServingModel
import Simulation
import Testing

/// Of the standard objectives: 2 s to the first token, 100 ms a token.
@Suite struct SimulationSummaryTests {
    private var run: SimulationRun {
        SimulationRun(
            workload: StudyFixture.workload([(0, 5), (2, 1), (3, 11), (4, 11), (5, 101), (6, 3)], warmUp: 2),
            records: [
                StudyFixture.record(first: 9, finish: 9, preemptions: 7),
                StudyFixture.record(first: 4, finish: 4),
                StudyFixture.record(first: 4, finish: 5, preemptions: 1),
                StudyFixture.record(first: 6.001, finish: 6.5, preemptions: 1),
                StudyFixture.record(first: 6, finish: 16.001),
                StudyFixture.record(first: nil, finish: nil, worker: nil),
            ],
            decisionTimes: [1000, 3000, 2000],
            workerSeconds: 30,
            gpuSeconds: 60
        )
    }

    @Test func `Queries of the warm-up count for nothing, and unfinished ones as missed`() {
        let summary = SimulationSummary([run])
        #expect(summary.queries == 5)
        #expect(summary.met == 2)
        #expect(summary.unfinished == 1)
        #expect(summary.preemptions == 2)
        #expect(summary.attainment == 0.4)
        #expect(summary.goodput == 2 / 8.0)
    }

    @Test func `The first token counts for all, the pace only where there is one`() {
        let summary = SimulationSummary([run])
        #expect(summary.timeToFirstToken?.p50 == .seconds(1))
        #expect(summary.timeToFirstToken?.p99 == Interval(nanoseconds: 2_001_000_000))
        #expect(summary.averageTokenTime?.p50 == .milliseconds(100))
        #expect(summary.averageTokenTime?.p99 == Interval(nanoseconds: 100_010_000))
        #expect(summary.decision?.p50 == Interval(nanoseconds: 2000))
    }

    @Test func `Attainment is told apart by output length and by tenant`() {
        let summary = SimulationSummary([run])
        #expect(summary.lengthClasses.map(\.name) == ["1", "2–19", "100–299"])
        #expect(summary.lengthClasses.map(\.queries) == [1, 3, 1])
        #expect(summary.lengthClasses.map(\.met) == [1, 1, 0])
        #expect(summary.tenants.map(\.name) == ["long", "short"])
        #expect(summary.tenants.map(\.attainment) == [0, 0.5])
        #expect(summary.priorities.isEmpty)
    }

    @Test func `Of several runs the attainment is the mean and the queries are the sum`() {
        let perfect = SimulationRun(
            workload: StudyFixture.workload([(1, 2)]),
            records: [StudyFixture.record(first: 1.5, finish: 1.6)],
            workerSeconds: 10,
            gpuSeconds: 20
        )
        let summary = SimulationSummary([run, perfect])
        #expect(summary.attainments == [0.4, 1])
        #expect(summary.attainment == 0.7)
        #expect(summary.queries == 6)
        #expect(summary.workerSeconds == 20)
    }

    @Test func `Records are exact to the nanosecond, with empty fields for what did not happen`() {
        let workload = StudyFixture.workload([(0, 5), (2.000_000_001, 1)])
        let run = SimulationRun(
            workload: workload,
            records: [
                StudyFixture.record(first: 0.25, finish: 0.5, worker: 3, preemptions: 2),
                StudyFixture.record(first: nil, finish: nil, worker: nil),
            ],
            workerSeconds: 1,
            gpuSeconds: 1
        )
        #expect(
            run.csv == """
                query,arrival_s,input_tokens,output_tokens,worker,dispatched_s,first_token_s,finish_s,preemptions,met
                0,0.000000000,10,5,3,0.150000000,0.250000000,0.500000000,2,1
                1,2.000000001,10,1,,,,,0,0

                """
        )
    }
}
