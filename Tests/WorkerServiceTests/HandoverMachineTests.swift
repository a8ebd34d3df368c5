import EngineInterface
import Messages
import ServingModel
import Testing
import WorkerService

@Suite("A worker's machine that hands KV caches over")
struct HandoverMachineTests {
    private func prefilling(_ lease: UInt64, maxTokens: Int = 3, resumed: Int = 0) -> WorkerQuery {
        var query = WorkerQuery.sample(lease, maxTokens: maxTokens, resumed: resumed)
        query.handsOver = true
        return query
    }

    private func decoding(_ lease: UInt64, cache: String = "there", maxTokens: Int = 3) -> WorkerQuery {
        var query = WorkerQuery.sample(lease, maxTokens: maxTokens, resumed: 1)
        query.kvCache = cache
        return query
    }

    @Test(
        "With the first token out, the KV cache is left and told of, and the lease is over",
        arguments: BatchingMode.allCases
    )
    func leaves(mode: BatchingMode) {
        var rig = WorkerRig(mode: mode, handoverBytes: 1000)
        rig.machine.take(prefilling(1))
        let progress = rig.finish()
        #expect(progress.tokens(of: 1) == expected(1, 0..<1))
        #expect(progress.ends(of: 1) == 0)
        let told = progress.compactMap(\.handedOver)
        #expect(told == [HandedOverEvent(kvCache: "cache-1", inputTokens: 4, bytes: 7)])
        #expect(rig.machine.desk.bytes == 7 && rig.machine.count == 1)
        rig.machine.desk.tidy(at: .zero) { _ in false }
        rig.expectEmpty()
    }

    @Test("It is told of when it has arrived, not before, and the token ahead of it")
    func onItsWay() {
        var rig = WorkerRig(handoverBytes: 1000)
        rig.engine.transferTime = .milliseconds(5)
        rig.machine.take(prefilling(1))
        let before = rig.finish()
        #expect(before.tokens(of: 1) == expected(1, 0..<1))
        #expect(before.allSatisfy { $0.handedOver == nil })
        #expect(rig.machine.noteHandovers(at: .zero + .milliseconds(4)) == .zero + .milliseconds(5))
        #expect(rig.reports().isEmpty)
        #expect(rig.machine.noteHandovers(at: .zero + .milliseconds(5)) == .distantFuture)
        #expect(rig.reports().compactMap(\.handedOver).count == 1)
    }

    @Test("An answer of one token, and one for which there is no room, end where they began")
    func stays() {
        var rig = WorkerRig(handoverBytes: 1000)
        rig.machine.take(prefilling(1, maxTokens: 1))
        #expect(rig.finish().last?.finished?.outputTokens == 1)
        rig.expectEmpty()
        rig = WorkerRig(handoverBytes: 1000, bytesPerToken: 300)
        rig.machine.take(prefilling(2))
        #expect(rig.finish().tokens(of: 2) == expected(2, 0..<3))
        rig.expectEmpty()
        rig = WorkerRig(handoverBytes: 0)
        rig.machine.take(prefilling(3))
        #expect(rig.finish().tokens(of: 3) == expected(3, 0..<3))
        rig.expectEmpty()
    }

    @Test("What can't be left fails, with its token told")
    func exportFails() {
        var rig = WorkerRig(handoverBytes: 1000)
        rig.engine.failsExports = true
        rig.machine.take(prefilling(1))
        let progress = rig.finish()
        #expect(progress.tokens(of: 1) == expected(1, 0..<1))
        #expect(progress.failure(of: 1)?.reason == .handoverFailed)
        rig.expectEmpty()
    }

    @Test("One that is cancelled at any moment leaves nothing behind", arguments: 0..<4)
    func cancelled(turns: Int) {
        var rig = WorkerRig(handoverBytes: 1000)
        rig.machine.take(prefilling(1))
        for _ in 0..<turns { _ = rig.turn() }
        rig.machine.cancel([Lease(rawValue: 1)])
        _ = rig.finish()
        #expect(rig.machine.desk.takeDiscarded() == (turns == 3 ? ["cache-1"] : []))
        rig.expectEmpty()
    }

    @Test("One that is cancelled while its cache is being written is dropped as soon as it is there")
    func cancelledMeanwhile() throws {
        var rig = WorkerRig(handoverBytes: 1000)
        rig.machine.take(prefilling(1))
        _ = rig.turn()
        _ = rig.turn()
        let next = rig.next()
        let turn = try #require(next)
        #expect(turn.exports.count == 1 && turn.step == nil)
        rig.machine.cancel([Lease(rawValue: 1)])
        rig.machine.turnEnded(turn, rig.engine.run(turn))
        #expect(rig.finish().isEmpty)
        #expect(rig.machine.desk.takeDiscarded() == ["cache-1"])
        rig.expectEmpty()
    }

    @Test("What nobody takes is dropped after a while, and all of it with the session")
    func dropped() {
        var rig = WorkerRig(handoverBytes: 1000)
        for lease: UInt64 in 1...2 { rig.machine.take(prefilling(lease)) }
        _ = rig.finish()
        rig.machine.desk.tidy(at: .zero + HandoverDesk.keeping) { $0 == "cache-1" }
        #expect(rig.machine.desk.takeDiscarded() == ["cache-1"])
        rig.machine.take(prefilling(3))
        _ = rig.finish()
        rig.machine.reset()
        #expect(rig.machine.desk.takeDiscarded() == ["cache-3"])
        rig.expectEmpty()
    }

    @Test("What comes with its KV cache decodes at once, without a prefill", arguments: BatchingMode.allCases)
    func takes(mode: BatchingMode) throws {
        var rig = WorkerRig(mode: mode)
        rig.machine.take(decoding(1))
        _ = rig.turn()
        let next = rig.next()
        let turn = try #require(next)
        #expect(turn.step?.chunks.isEmpty == true && turn.step?.imported.count == 1)
        #expect(turn.step?.workload == StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 5))
        rig.machine.turnEnded(turn, rig.engine.run(turn))
        let progress = rig.reports() + rig.finish()
        #expect(progress.tokens(of: 1, from: 1) == expected(1, 1..<3))
        rig.expectEmpty()
    }

    @Test("Taking over and prefilling go side by side")
    func both() {
        for mode in BatchingMode.allCases {
            var rig = WorkerRig(mode: mode)
            for lease: UInt64 in 1...8 {
                if lease.isMultiple(of: 2) {
                    rig.machine.take(decoding(lease, maxTokens: 9))
                } else {
                    rig.take(lease, prompt: 11, maxTokens: 9)
                }
            }
            let progress = rig.finish()
            for lease: UInt64 in 1...8 {
                let first = lease.isMultiple(of: 2) ? 1 : 0
                #expect(progress.tokens(of: lease, from: first) == expected(lease, first..<9))
            }
            rig.expectEmpty()
        }
    }

    @Test("A KV cache that is not there fails its query alone")
    func notThere() {
        var rig = WorkerRig()
        rig.machine.take(decoding(1, cache: "gone"))
        rig.machine.take(decoding(2))
        let progress = rig.finish()
        #expect(progress.failure(of: 1)?.reason == .handoverFailed)
        #expect(progress.tokens(of: 2, from: 1) == expected(2, 1..<3))
        rig.expectEmpty()
    }
}
