import EngineInterface
import Messages
import ServingModel
import Testing
import WorkerService

@Suite("A worker's machine over an engine that batches for itself")
struct StreamMachineTests {
    private static func description(sequences: Int = 2, kvTokens: Int = 1000) -> EngineDescription {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.kvCache.capacityTokens = kvTokens
        profile.limits.maximumSequences = sequences
        return EngineDescription(
            model: "m",
            kind: "upstream",
            contextLength: 500,
            resumesPrefix: false,
            profile: profile
        )
    }

    private var machine = StreamMachine(description: StreamMachineTests.description())
    private var now = Instant.zero

    private func id(_ number: Int) -> SequenceID { SequenceID(rawValue: number) }

    private mutating func progress() -> [LeaseProgress] {
        machine.takeReports(at: now).flatMap { report -> [LeaseProgress] in
            if case .step(let step) = report { step.progress } else { [] }
        }
    }

    private mutating func granted() -> UInt64? {
        for report in machine.takeReports(at: now) {
            if case .pull(let granted) = report { return granted }
        }
        return nil
    }

    @Test("It gives the engine as many as that takes, pulls a few more, and fills places as they come free")
    mutating func places() {
        #expect(granted() == 3)
        for lease: UInt64 in 1...3 { machine.take(.sample(lease)) }
        #expect(machine.takeCommands(at: now) == [.start(id(1)), .start(id(2))])
        #expect(granted() == nil)
        machine.ended(id(1), .success(StreamedEnd(finish: .stop)), at: now)
        #expect(machine.takeCommands(at: now) == [.start(id(3))])
        #expect(granted() == 4)
        machine.cancel([Lease(rawValue: 3)])
        #expect(machine.takeCommands(at: now) == [.stop(id(3))])
        #expect(machine.count == 1)
    }

    @Test("What exceeds the engine's memory waits, unless the engine has nothing else")
    mutating func memory() {
        machine = StreamMachine(description: Self.description(sequences: 8, kvTokens: 100))
        machine.take(.sample(1, prompt: 200))
        machine.take(.sample(2, prompt: 4))
        #expect(machine.takeCommands(at: now) == [.start(id(1))])
        machine.ended(id(1), .success(StreamedEnd(finish: .length)), at: now)
        #expect(machine.takeCommands(at: now) == [.start(id(2))])
    }

    @Test("Tokens are numbered, told at once, and their step beside them when it has ended")
    mutating func tokens() {
        machine.take(.sample(1, prompt: 4, maxTokens: 5))
        _ = machine.takeCommands(at: now)
        now = now + .milliseconds(20)
        machine.came(StreamedTokens(count: 1, text: "a"), of: id(1), at: now)
        machine.came(StreamedTokens(count: 2, ids: [7, 8], text: " b c"), of: id(1), at: now + .milliseconds(5))
        machine.ended(id(1), .success(StreamedEnd(finish: .stop, prompt: PromptCount(tokens: 4))), at: now)
        let reports = machine.takeReports(at: now)
        guard case .step(let first) = reports.first else { return }
        #expect(first.workload?.prefillTokens == 4 && first.progress.count == 1)
        let told = reports.flatMap { report -> [LeaseProgress] in
            if case .step(let step) = report { step.progress } else { [] }
        }
        #expect(told.compactMap(\.tokens?.firstIndex) == [0, 1] && told.compactMap(\.tokens?.ids) == [[], [7, 8]])
        #expect(told.last?.finished == FinishedEvent(reason: .stop, inputTokens: 4, outputTokens: 3))
        #expect(machine.count == 0)
    }

    @Test("An answer that is there as a whole is one report")
    mutating func wholeAnswer() {
        machine.take(.sample(1, prompt: 4, maxTokens: 5))
        _ = machine.takeCommands(at: now)
        _ = granted()
        now = now + .milliseconds(20)
        machine.came(StreamedTokens(count: 3, text: "a b c"), of: id(1), at: now)
        machine.ended(id(1), .success(StreamedEnd(finish: .stop)), at: now)
        let reports = machine.takeReports(at: now)
        let steps = reports.compactMap { if case .step(let step) = $0 { step } else { nil } }
        #expect(steps.count == 1 && steps.first?.progress.count == 1)
        #expect(steps.first?.progress.first?.tokens?.count == 3)
        #expect(steps.first?.progress.first?.finished?.outputTokens == 3)
    }

    @Test("More tokens than asked for fail the attempt and stop the engine", arguments: [4, 0, -1])
    mutating func tooMany(count: Int) {
        machine.take(.sample(1, maxTokens: 3))
        _ = machine.takeCommands(at: now)
        machine.came(StreamedTokens(count: count, text: "x"), of: id(1), at: now)
        #expect(machine.takeCommands(at: now) == [.stop(id(1))])
        #expect(progress().failure(of: 1)?.code == .internalError)
        machine.ended(id(1), .failure(Status(.cancelled)), at: now)
        #expect(progress().isEmpty)
    }

    @Test("A full engine is no failure: the query waits in its place, nothing is pulled, and it is tried again in time")
    mutating func busy() {
        machine = StreamMachine(description: Self.description(sequences: 1))
        for lease: UInt64 in 1...2 { machine.take(.sample(lease)) }
        _ = granted()
        _ = machine.takeCommands(at: now)
        let full = Status(.resourceExhausted, .overloaded, "full", retryAfter: .seconds(2))
        machine.ended(id(1), .failure(full), at: now)
        #expect(machine.takeCommands(at: now).isEmpty && progress().isEmpty)
        #expect(machine.nextDue(at: now) == now + .seconds(2))
        machine.cancel([Lease(rawValue: 2)])
        #expect(granted() == nil)
        now = machine.nextDue(at: now)
        #expect(machine.takeCommands(at: now) == [.start(id(1))])
        #expect(granted() == 3)
        // What waits now waits for a place, which no time brings.
        machine.take(.sample(3))
        #expect(machine.takeCommands(at: now).isEmpty && machine.nextDue(at: now) == .distantFuture)
        machine.cancel([Lease(rawValue: 3)])
        // It is not kept for ever.
        now = now + .seconds(40)
        machine.ended(id(1), .failure(full), at: now)
        #expect(progress().failure(of: 1)?.code == .unavailable)
    }

    @Test("While others wait at the engine nothing is pulled, but by a worker that has nothing")
    mutating func load() {
        machine.loaded(EngineLoad(waiting: 3, usedKVTokens: 900))
        #expect(granted() == 1)
        machine.take(.sample(1))
        _ = machine.takeCommands(at: now)
        #expect(granted() == nil)
        machine.came(StreamedTokens(count: 1, text: "x"), of: id(1), at: now)
        for case .step(let step) in machine.takeReports(at: now) { #expect(step.freeKVTokens == 100) }
        machine.loaded(EngineLoad(waiting: 0))
        #expect(granted() == 3)
    }

    @Test("An engine that goes takes no query with it: all are given back to be run elsewhere")
    mutating func gone() {
        for lease: UInt64 in 1...3 { machine.take(.sample(lease)) }
        _ = machine.takeCommands(at: now)
        machine.came(StreamedTokens(count: 1, text: "x"), of: id(2), at: now)
        machine.becameUnavailable(Status(.unavailable, .engineFailed, "gone"))
        let told = progress()
        for lease: UInt64 in 1...3 {
            #expect(told.failure(of: lease)?.code == .unavailable)
            // The broker counts lost workers against a query; this is none.
            #expect(told.failure(of: lease)?.reason == .engineFailed)
        }
        #expect(machine.isDraining && machine.count == 0 && granted() == nil)
        // The next life uses none of the numbers of this one.
        var next = StreamMachine(description: Self.description(), after: machine)
        next.ended(id(1), .success(StreamedEnd(finish: .stop)), at: now)
        next.take(.sample(9))
        #expect(next.takeCommands(at: now) == [.start(id(4))])
    }

    @Test("The length of text prompts is learnt from those that have been counted")
    mutating func promptLengths() {
        machine = StreamMachine(description: Self.description(sequences: 1))
        func text(_ lease: UInt64) -> WorkerQuery {
            var query = WorkerQuery.sample(lease, maxTokens: 400)
            query.input = .text(String(repeating: "x", count: 400))
            return query
        }
        var estimates: [Int] = []
        for lease: UInt64 in 1...40 {
            machine.take(text(lease))
            _ = machine.takeCommands(at: now)
            // The engine says too late how long it was: the step goes by the estimate.
            machine.came(StreamedTokens(count: 1, text: "a"), of: id(Int(lease)), at: now)
            for case .step(let step) in machine.takeReports(at: now) {
                if let tokens = step.workload?.prefillTokens { estimates.append(tokens) }
            }
            machine.ended(
                id(Int(lease)),
                .success(StreamedEnd(finish: .stop, prompt: PromptCount(tokens: 200))),
                at: now
            )
            _ = machine.takeReports(at: now)
        }
        #expect(estimates.first == 100)
        #expect((190...200).contains(estimates.last ?? 0))
    }
}
