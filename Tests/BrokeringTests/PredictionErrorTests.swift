import Brokering
import ServingModel
import Testing

@Suite("Predictions against reality")
struct PredictionErrorTests {
    /// A rig with two workers and a scheduler.
    private func scheduledRig() -> BrokerRig {
        var rig = BrokerRig()
        rig.broker.schedulerAttached(policy: "aladdin", at: rig.now)
        rig.join(1)
        rig.join(2)
        return rig
    }

    /// Runs a query: its first token after `first`, two more each `gap` apart.
    private func run(
        _ rig: inout BrokerRig,
        on worker: UInt64,
        predicted: (first: Interval?, gap: Interval?),
        first: Interval,
        gap: Interval
    ) throws {
        let stream = try rig.submit()
        rig.broker.place(
            Placement(
                query: try rig.record(stream).number,
                attempt: 1,
                worker: WorkerID(rawValue: worker),
                predictedTimeToFirstToken: predicted.first,
                predictedTokenTime: predicted.gap
            ),
            at: rig.now
        )
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: first)
        rig.step(worker, .tokens(lease, from: 0))
        rig.tick(after: gap)
        rig.step(worker, .tokens(lease, from: 1))
        rig.tick(after: gap)
        rig.step(worker, .tokens(lease, from: 2, finish: .stop))
    }

    private func near(_ left: Double, _ right: Double) -> Bool { abs(left - right) < 1e-9 }

    @Test("A worker's, a model's and the whole broker's errors are the means of what was compared")
    func means() throws {
        var rig = scheduledRig()
        let prediction: (first: Interval?, gap: Interval?) = (.milliseconds(100), .milliseconds(20))
        try run(&rig, on: 1, predicted: prediction, first: .milliseconds(200), gap: .milliseconds(10))
        try run(&rig, on: 1, predicted: prediction, first: .milliseconds(80), gap: .milliseconds(40))
        try run(&rig, on: 2, predicted: prediction, first: .milliseconds(100), gap: .milliseconds(20))

        let first = try #require(rig.broker.worker(WorkerID(rawValue: 1))).predictions
        // −50 % and +25 %; +100 % and −50 %.
        #expect(near(first.timeToFirstToken.bias, -0.125) && near(first.timeToFirstToken.magnitude, 0.375))
        #expect(near(first.tokenTime.bias, 0.25) && near(first.tokenTime.magnitude, 0.75))
        #expect(first.timeToFirstToken.count == 2 && first.tokenTime.count == 2)
        let second = try #require(rig.broker.worker(WorkerID(rawValue: 2))).predictions
        #expect(second.timeToFirstToken == .init(magnitude: 0, bias: 0, count: 1))
        #expect(near(rig.broker.predictions.timeToFirstToken.magnitude, 0.25))
        #expect(near(rig.broker.predictions.tokenTime.bias, 0.5 / 3))
        #expect(rig.broker.model("m")?.predictions == rig.broker.predictions)
    }

    @Test("What was not predicted is not compared, nor what was cancelled before its end")
    func notCompared() throws {
        var rig = scheduledRig()
        try run(&rig, on: 1, predicted: (nil, nil), first: .milliseconds(50), gap: .milliseconds(10))
        #expect(rig.broker.predictions.isEmpty)
        let stream = try rig.submit()
        rig.broker.place(
            Placement(
                query: try rig.record(stream).number,
                attempt: 1,
                worker: WorkerID(rawValue: 1),
                predictedTimeToFirstToken: .milliseconds(50),
                predictedTokenTime: .milliseconds(10)
            ),
            at: rig.now
        )
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(50))
        rig.step(1, .tokens(lease, from: 0))
        rig.tick(after: .milliseconds(50))
        rig.step(1, .tokens(lease, from: 1))
        _ = rig.cancel(stream)
        #expect(rig.broker.predictions.timeToFirstToken.count == 1)
        #expect(rig.broker.predictions.tokenTime.count == 0)
    }

    @Test("Tokens of two attempts are not held against the prediction of the second")
    func resumed() throws {
        var rig = scheduledRig()
        let stream = try rig.submit()
        func placement(_ attempt: Int, on worker: UInt64) throws -> Placement {
            Placement(
                query: try rig.record(stream).number,
                attempt: attempt,
                worker: WorkerID(rawValue: worker),
                predictedTimeToFirstToken: .milliseconds(50),
                predictedTokenTime: .milliseconds(10)
            )
        }
        rig.broker.place(try placement(1, on: 1), at: rig.now)
        let lost = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(100))
        rig.step(1, .tokens(lost, from: 0))
        rig.lose(1)
        rig.broker.place(try placement(2, on: 2), at: rig.now)
        let lease = try #require(rig.dispatched().first).lease
        rig.tick(after: .milliseconds(100))
        rig.step(2, .tokens(lease, from: 1, finish: .stop))
        #expect(rig.broker.predictions.timeToFirstToken == .init(magnitude: 0.5, bias: -0.5, count: 1))
        #expect(rig.broker.predictions.tokenTime.count == 0)
        #expect(rig.broker.worker(WorkerID(rawValue: 2))?.predictions.isEmpty == true)
    }

    @Test("Old errors fade: after some hundred right predictions the average is about right")
    func fades() {
        var average = PredictionErrors.Average()
        for _ in 0..<100 { average.compare(predicted: .milliseconds(200), actual: .milliseconds(100)) }
        #expect(near(average.bias, 1))
        for _ in 0..<300 { average.compare(predicted: .milliseconds(100), actual: .milliseconds(100)) }
        #expect(average.magnitude < 0.01 && average.count == 400)
        average.compare(predicted: nil, actual: .milliseconds(100))
        average.compare(predicted: .milliseconds(100), actual: .zero)
        #expect(average.count == 400)
    }
}
