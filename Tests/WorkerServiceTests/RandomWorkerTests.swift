import EngineInterface
import Messages
import ServingModel
import Testing
import WorkerService

@Suite("A worker's machine under random events")
struct RandomWorkerTests {
    private struct Book {
        var maxTokens: Int
        var next: Int
        var isOver = false
    }

    /// Runs random events; every token is the expected one, every lease ends once at most, and all is released.
    ///
    /// - Returns: leases that finished, failed and were given up.
    private func run(mode: BatchingMode, seed: UInt64) -> (finished: Int, failed: Int, cancelled: Int) {
        var generator = SeededGenerator(seed: seed)
        var rig = WorkerRig(mode: mode, engine: ScriptedEngine(kvTokens: 96, maximumSequences: 6))
        var books: [UInt64: Book] = [:]
        var (finished, failed, cancelled) = (0, 0, 0)
        var underWay: EngineTurn?
        var lastLease: UInt64 = 0
        var taken: UInt64 = 0

        func settle(after turn: EngineTurn?) {
            for progress in rig.reports(after: turn) {
                let lease = progress.lease.rawValue
                guard let book = books[lease], !book.isOver else {
                    Issue.record("a report about a lease that is over")
                    continue
                }
                if let tokens = progress.tokens {
                    #expect(tokens.firstIndex == book.next)
                    #expect(tokens.ids == expected(lease, book.next..<book.next + tokens.count))
                    books[lease]?.next += tokens.count
                }
                if progress.finished != nil {
                    #expect(books[lease]?.next == book.maxTokens)
                    finished += 1
                }
                if progress.failed != nil { failed += 1 }
                if progress.finished != nil || progress.failed != nil { books[lease]?.isOver = true }
            }
            let open = books.values.count { !$0.isOver }
            #expect(
                rig.granted <= taken + UInt64(max(12 - open, 0)) || rig.granted <= taken,
                "no more than it can hold"
            )
        }

        func act(_ choice: Int) {
            switch choice {
            case 0..<25 where taken < rig.granted:
                lastLease += 1
                taken += 1
                let maxTokens = Int.random(in: 1...20, using: &generator)
                let resumed =
                    Int.random(in: 0..<4, using: &generator) == 0 ? Int.random(in: 0..<maxTokens, using: &generator) : 0
                books[lastLease] = Book(maxTokens: maxTokens, next: resumed)
                rig.take(
                    lastLease,
                    prompt: Int.random(in: 0...60, using: &generator),
                    maxTokens: maxTokens,
                    resumed: resumed
                )
            case 25..<32:
                guard let lease = books.filter({ !$0.value.isOver }).keys.sorted().randomElement(using: &generator)
                else {
                    return
                }
                rig.machine.cancel([Lease(rawValue: lease)])
                books[lease]?.isOver = true
                cancelled += 1
            case 32..<34:
                rig.engine.failsNextStep = Status(.internalError, .engineFailed, "x")
            case 34..<35:
                rig.engine.answersForOthers = true
            case 35..<36:
                rig.machine.reset()
                for lease in books.keys { books[lease]?.isOver = true }
                taken = 0
            case 36..<68:
                if underWay == nil { underWay = rig.machine.nextTurn() }
            default:
                guard let turn = underWay else { return }
                underWay = nil
                rig.machine.turnEnded(turn, rig.engine.run(turn))
                settle(after: turn)
            }
            settle(after: nil)
        }

        settle(after: nil)
        for _ in 0..<1500 { act(Int.random(in: 0..<100, using: &generator)) }
        for _ in 0..<5000 where rig.machine.count > 0 || !rig.engine.held.isEmpty || underWay != nil {
            act(36)
            act(99)
        }
        rig.expectEmpty()
        #expect(books.values.allSatisfy { $0.isOver })
        return (finished, failed, cancelled)
    }

    @Test("Every token comes once and in order, and everything is released", arguments: BatchingMode.allCases, 0..<12)
    func random(mode: BatchingMode, seed: Int) {
        _ = run(mode: mode, seed: UInt64(seed))
    }

    @Test("The seeds reach every way for a lease to end", arguments: BatchingMode.allCases)
    func reachesTheCorners(mode: BatchingMode) {
        let outcomes = (0..<12).map { run(mode: mode, seed: $0) }
        let finished = outcomes.reduce(0) { $0 + $1.finished }
        let failed = outcomes.reduce(0) { $0 + $1.failed }
        let cancelled = outcomes.reduce(0) { $0 + $1.cancelled }
        #expect(finished > 50)
        #expect(failed > 50)
        #expect(cancelled > 50)
    }
}
