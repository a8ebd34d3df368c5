import EngineInterface
import Messages
import ServingModel
import Testing
import WorkerService

@Suite("A worker's machine")
struct WorkerMachineTests {
    @Test("A batch of queries runs to its end, token for token", arguments: BatchingMode.allCases)
    func runs(mode: BatchingMode) {
        var rig = WorkerRig(mode: mode)
        for lease: UInt64 in 1...3 { rig.take(lease, prompt: Int(lease) * 5, maxTokens: Int(lease)) }
        let progress = rig.finish()
        for lease: UInt64 in 1...3 {
            #expect(progress.tokens(of: lease) == expected(lease, 0..<Int(lease)))
            #expect(progress.ends(of: lease) == 1)
            let finished = progress.last { $0.lease.rawValue == lease }?.finished
            #expect(
                finished == FinishedEvent(reason: .length, inputTokens: Int(lease) * 5, outputTokens: Int(lease))
            )
        }
        rig.expectEmpty()
    }

    @Test("A resumed query goes on with the index after its prefix")
    func resumes() {
        var rig = WorkerRig()
        rig.take(7, maxTokens: 5, resumed: 3)
        let progress = rig.finish()
        #expect(progress.tokens(of: 7, from: 3) == expected(7, 3..<5))
        #expect(progress.last?.finished?.outputTokens == 5)
        rig.expectEmpty()
    }

    @Test("What the engine refuses, and what can never fit, fails alone")
    func refusals() {
        var rig = WorkerRig(engine: ScriptedEngine(kvTokens: 64))
        rig.take(1, prompt: 0)
        rig.take(2, prompt: 64, maxTokens: 1)
        rig.take(3, prompt: 60, maxTokens: 4)
        rig.machine.refuse(Lease(rawValue: 4), Status(.internalError, .malformed, "x"))
        let progress = rig.finish()
        #expect(progress.failure(of: 1)?.reason == .emptyPrompt)
        #expect(progress.failure(of: 2)?.reason == .promptTooLong)
        #expect(progress.tokens(of: 3) == expected(3, 0..<4))
        #expect(progress.failure(of: 4)?.reason == .malformed)
        for lease: UInt64 in 1...4 { #expect(progress.ends(of: lease) == 1) }
        rig.expectEmpty()
    }

    @Test(
        "What outgrows the KV cache is given back with its tokens; the others go on",
        arguments: BatchingMode.allCases
    )
    func outgrown(mode: BatchingMode) {
        var rig = WorkerRig(mode: mode, engine: ScriptedEngine(kvTokens: 64))
        rig.take(1, prompt: 60, maxTokens: 5)
        rig.take(2, prompt: 4, maxTokens: 3)
        let progress = rig.finish()
        #expect(progress.tokens(of: 1) == expected(1, 0..<4))
        let failure = progress.failure(of: 1)
        #expect(failure?.code == .outOfRange && failure?.reason == .outOfMemory)
        #expect(progress.tokens(of: 2) == expected(2, 0..<3))
        for lease: UInt64 in 1...2 { #expect(progress.ends(of: lease) == 1) }
        rig.expectEmpty()
    }

    @Test("An engine that counts no prompt tokens fails the query, not the worker", arguments: [0, -1, Int.max])
    func impossiblePrompt(tokens: Int) throws {
        var rig = WorkerRig()
        rig.take(1)
        let next = rig.next()
        let turn = try #require(next)
        var result = rig.engine.run(turn)
        result.admissions[0].promptTokens = .success(tokens)
        rig.machine.turnEnded(turn, result)
        #expect(rig.reports().ends(of: 1) == 1)
        _ = rig.finish()
        rig.expectEmpty()
    }

    @Test("A failed step fails its sequences; the others go on", arguments: BatchingMode.allCases)
    func stepFails(mode: BatchingMode) {
        for answersForOthers in [false, true] {
            var rig = WorkerRig(mode: mode)
            rig.take(1, maxTokens: 6)
            _ = rig.turn()
            _ = rig.turn()
            let before = rig.turn() ?? []
            #expect(before.tokens(of: 1, from: 1)?.count == 1)
            if answersForOthers {
                rig.engine.answersForOthers = true
            } else {
                rig.engine.failsNextStep = Status(.internalError, .outOfMemory, "x")
            }
            let failed = rig.turn() ?? []
            #expect(failed.failure(of: 1)?.reason == (answersForOthers ? .engineFailed : .outOfMemory))
            rig.take(2)
            let after = rig.finish()
            #expect(after.tokens(of: 2) == expected(2, 0..<3))
            #expect(after.ends(of: 1) == 0)
            rig.expectEmpty()
        }
    }

    @Test("A running query that is given up during a step that fails without it is released too")
    func cancelledBesideAFailingStep() throws {
        var rig = WorkerRig(mode: .prefillPriority)
        rig.take(1, maxTokens: 50)
        _ = rig.turn()
        _ = rig.turn()
        _ = rig.turn()
        rig.take(2)
        _ = rig.turn()
        let next = rig.next()
        let prefill = try #require(next)
        #expect(prefill.step?.decodes.isEmpty == true)
        rig.machine.cancel([Lease(rawValue: 1)])
        rig.engine.failsNextStep = Status(.internalError, .engineFailed, "x")
        rig.machine.turnEnded(prefill, rig.engine.run(prefill))
        let progress = rig.finish()
        #expect(progress.ends(of: 2) == 1)
        #expect(progress.ends(of: 1) == 0)
        rig.expectEmpty()
    }

    @Test("A query can be given up at every moment; nothing is said of it afterwards", arguments: BatchingMode.allCases)
    func cancels(mode: BatchingMode) throws {
        for turnsBefore in 0..<8 {
            for isUnderWay in [false, true] {
                var rig = WorkerRig(mode: mode, engine: ScriptedEngine(maximumSequences: 2))
                // The third has to wait for a seat.
                for lease: UInt64 in 1...3 { rig.take(lease, prompt: 12, maxTokens: 5) }
                var progress: [LeaseProgress] = []
                for _ in 0..<turnsBefore { progress += rig.turn() ?? [] }
                let turn = isUnderWay ? rig.next() : nil
                for lease: UInt64 in [2, 3, 99] {
                    rig.machine.cancel([Lease(rawValue: lease), Lease(rawValue: lease)])
                }
                if let turn { rig.machine.turnEnded(turn, rig.engine.run(turn)) }
                let after = rig.finish()
                #expect(after.tokens(of: 2, from: 0) == [] && after.tokens(of: 3, from: 0) == [])
                #expect(after.ends(of: 2) + after.ends(of: 3) == 0)
                #expect((progress + after).tokens(of: 1) == expected(1, 0..<5))
                rig.expectEmpty()
            }
        }
    }

    @Test("A lost session gives everything up and starts the grants anew", arguments: 0..<6)
    func resets(turnsBefore: Int) {
        var rig = WorkerRig()
        for lease: UInt64 in 1...3 { rig.take(lease, maxTokens: 9) }
        for _ in 0..<turnsBefore { _ = rig.turn() }
        let turn = rig.next()
        rig.machine.drain()
        rig.machine.reset()
        if let turn { rig.machine.turnEnded(turn, rig.engine.run(turn)) }
        #expect(rig.finish().isEmpty)
        rig.expectEmpty()
        #expect(!rig.machine.isDraining, "a new session serves again")
        rig.take(8)
        #expect(rig.finish().tokens(of: 8) == expected(8, 0..<3))
        // Twice as many as run at once, beyond the one taken in this session.
        #expect(rig.granted == 9)
    }

    @Test("Grants are totals that keep twice the seats filled, and a draining worker grants nothing")
    func grants() {
        var rig = WorkerRig()
        _ = rig.reports()
        #expect(rig.granted == 8)
        for lease: UInt64 in 1...8 { rig.take(lease, maxTokens: 1) }
        _ = rig.reports()
        #expect(rig.granted == 8, "all seats are taken")
        rig.machine.refuse(Lease(rawValue: 9), Status(.internalError))
        _ = rig.reports()
        #expect(rig.granted == 9)
        _ = rig.finish()
        #expect(rig.granted == 17)
        rig.machine.drain()
        rig.take(10)
        #expect(rig.finish().tokens(of: 10) == expected(10, 0..<3))
        #expect(rig.granted == 17)
    }

    @Test("One turn at a time, none without work, and nothing is reported twice")
    func turns() throws {
        var rig = WorkerRig()
        #expect(rig.turn() == nil)
        rig.take(1)
        let next = rig.next()
        let turn = try #require(next)
        #expect(rig.turn() == nil)
        rig.machine.turnEnded(turn, rig.engine.run(turn))
        _ = rig.finish()
        #expect(rig.reports().isEmpty)
    }
}
