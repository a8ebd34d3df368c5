import Brokering
import ServingModel
import Testing

@Suite("Accepting queries")
struct AcceptanceTests {
    @Test("A query goes from submission to its end, and its reader hears each part once")
    func happyPath() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit()
        let actions = rig.act()
        #expect(actions.first == .announce(stream))
        let assignment = try #require(actions.flatMap(\.assignments).first)
        #expect(assignment.attempt == 1 && assignment.request == [7] && assignment.resumedTokens.isEmpty)
        #expect(assignment.remaining == nil)
        let id = try rig.id(stream)
        #expect(
            rig.read(stream) == [
                .accepted(id, .volatile, isDuplicate: false),
                .started(worker: "w1", attempt: 1, predictedTimeToFirstToken: nil),
            ]
        )
        rig.step(1, .tokens(assignment.lease, from: 0))
        #expect(rig.act() == [.announce(stream)])
        #expect(rig.read(stream) == [.tokens(from: 0, count: 1)])
        rig.step(1, .tokens(assignment.lease, from: 1, finish: .stop))
        #expect(rig.act() == [.announce(stream)])
        #expect(
            rig.read(stream) == [
                .tokens(from: 1, count: 1), .finished(.stop, inputTokens: 3, outputTokens: 2), .end(.ok),
            ]
        )
        #expect(rig.read(stream).isEmpty)
        #expect(rig.broker.liveQueries == 0)
        #expect(rig.broker.model("m")?.completed == 1)
        #expect(rig.broker.worker(WorkerID(rawValue: 1))?.queriesCompleted == 1)
    }

    @Test("Without any worker a query that names no model is told to come back")
    func noWorker() throws {
        var rig = BrokerRig()
        let status = try refusal { _ = try rig.submit { $0.model = "" } }
        #expect(status.code == .unavailable && status.reason == .noWorker && status.retryAfter != nil)
    }

    @Test("An unknown model is refused, with the names of those served")
    func unknownModel() throws {
        var rig = BrokerRig()
        rig.join(1)
        let status = try refusal { _ = try rig.submit { $0.model = "other" } }
        #expect(status.code == .notFound && status.reason == .unknownModel && status.message.contains("served: m"))
    }

    @Test("Where no model was ever served, one that is named is told to come back, too")
    func nothingServed() throws {
        var rig = BrokerRig()
        #expect(try refusal { _ = try rig.submit { $0.model = "other" } }.code == .unavailable)
    }

    @Test("The only model need not be named, one of several must")
    func severalModels() throws {
        var rig = BrokerRig()
        rig.join(1)
        let stream = try rig.submit { $0.model = "" }
        #expect(try rig.record(stream).model == "m")
        rig.join(2, model: "a")
        let status = try refusal { _ = try rig.submit { $0.model = "" } }
        #expect(status.reason == .unknownModel && status.message.contains("a, m"))
        rig.lose(2)
        let again = try rig.submit { $0.model = "" }
        #expect(try rig.record(again).model == "m")
    }

    @Test("A full queue refuses until a query ends, and counts the refusal")
    func queueFull() throws {
        var rig = BrokerRig { $0.maximumQueries = 2 }
        rig.join(1)
        let first = try rig.submit()
        _ = try rig.submit()
        let status = try refusal { _ = try rig.submit() }
        #expect(status.code == .resourceExhausted && status.reason == .queueFull && status.retryAfter != nil)
        #expect(rig.broker.model("m")?.refused == 1)
        #expect(rig.cancel(first) == true)
        _ = try rig.submit()
        #expect(rig.broker.liveQueries == 2)
    }

    @Test("A session's calls are bounded, attached ones included; another session's are not touched")
    func tooManyCalls() throws {
        var rig = BrokerRig { $0.maximumQueriesPerSession = 2 }
        rig.join(1)
        let first = try rig.submit()
        _ = try rig.submit()
        #expect(try refusal { _ = try rig.submit() }.reason == .tooManyQueries)
        _ = try rig.submit(session: 2)
        _ = try rig.attach(to: first, session: 2)
        #expect(try refusal { _ = try rig.attach(to: first, session: 2) }.reason == .tooManyQueries)
        rig.broker.checkInvariants()
        #expect(rig.broker.liveQueries == 3)
    }

    @Test("What no worker could ever meet is refused; defaults never are")
    func unreachableObjectives() throws {
        func objective(_ first: Int64, _ average: Int64) -> ServiceLevelObjective {
            ServiceLevelObjective(timeToFirstToken: .milliseconds(first), averageTokenTime: .milliseconds(average))
        }
        var rig = BrokerRig { $0.objective = objective(1, 1) }
        rig.join(1)
        _ = try rig.submit()
        for wanted in [objective(9, 100), objective(100, 3)] {
            let status = try refusal { _ = try rig.submit { $0.objective = wanted } }
            #expect(status.code == .failedPrecondition && status.reason == .objectiveUnreachable)
        }
        _ = try rig.submit { $0.objective = objective(10, 4) }
        // A single token has no pace.
        _ = try rig.submit {
            $0.maxTokens = 1
            $0.objective = objective(10, 1)
        }
        #expect(rig.broker.liveQueries == 3)
    }

    @Test("Prompt and answer must fit the longest context of the model's workers")
    func contextExceeded() throws {
        var rig = BrokerRig()
        rig.join(1, contextLength: 10)
        rig.join(2, contextLength: 16)
        _ = try rig.submit {
            $0.inputTokens = 8
            $0.maxTokens = 8
        }
        let status = try refusal {
            _ = try rig.submit {
                $0.inputTokens = 9
                $0.maxTokens = 8
            }
        }
        #expect(status.code == .outOfRange && status.reason == .maxTokensOutOfRange)
        #expect(try refusal { _ = try rig.submit { $0.maxTokens = 16 } }.code == .outOfRange)
    }
}
