import Scheduling
import ServingModel
import Testing

@Suite("A scheduler's view of the cluster")
struct ClusterViewTests {
    @Test("A query is waiting until its first token, then runs with all its context, then is gone")
    func oneLife() {
        var view = ClusterView()
        view.apply(.joined(1), at: .zero)
        view.apply(.queued(5, inputTokens: 100, outputTokens: 7), at: .zero)
        #expect(view.unplaced == [QueryNumber(5)])
        view.place(QueryNumber(5), on: WorkerID(1))
        view.apply(.queryDispatched(QueryNumber(5), to: WorkerID(1), attempt: 1), at: .zero)
        #expect(view.unplaced.isEmpty)
        #expect(view.workers[WorkerID(1)]?.waitingTokens == 107)
        view.apply(.step(1, 5), at: .zero)
        view.apply(.step(1, 5), at: .zero)
        #expect(view.workers[WorkerID(1)]?.waitingTokens == 0)
        #expect(view.workers[WorkerID(1)]?.contextTokens == 109)
        #expect(view.queries[QueryNumber(5)]?.outputTokens == 9)
        view.apply(.ended(5), at: .zero)
        #expect(view.workers[WorkerID(1)]?.load == 0)
        #expect(view.workers[WorkerID(1)]?.contextTokens == 0)
    }

    @Test("Lengths of prompts are learnt from queries that end")
    func learnsLengths() {
        var view = ClusterView()
        for number: UInt64 in 1...100 {
            view.apply(.queued(number, inputTokens: nil, promptBytes: 400), at: .zero)
            view.apply(.ended(number, inputTokens: 400), at: .zero)
        }
        view.apply(.queued(200, inputTokens: nil, promptBytes: 400), at: .zero)
        #expect(view.queries[QueryNumber(200)]?.prefillTokens == 400)
    }

    @Test("Events about the unknown change nothing")
    func ignoresUnknown() {
        var view = ClusterView()
        view.apply(.joined(1), at: .zero)
        view.apply(.queryDispatched(QueryNumber(9), to: WorkerID(1), attempt: 1), at: .zero)
        view.apply(.step(1, 9), at: .zero)
        view.apply(.step(7, 9), at: .zero)
        view.apply(.ended(9), at: .zero)
        view.apply(.workerLeft(WorkerID(7), isDraining: false), at: .zero)
        #expect(view.workers[WorkerID(1)]?.load == 0 && view.queries.isEmpty && view.unplaced.isEmpty)
        view.apply(.queued(3), at: .zero)
        view.apply(.queryDispatched(QueryNumber(3), to: WorkerID(7), attempt: 1), at: .zero)
        check(view)
        #expect(view.queries[QueryNumber(3)] != nil)
    }

    /// Recomputes every account of the view from its queries.
    private func check(_ view: ClusterView, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(view.workerOrder == view.workers.keys.sorted(), sourceLocation: sourceLocation)
        for (id, worker) in view.workers {
            let waiting = view.queries.values.filter { $0.stage == .waiting(id) }
            let running = view.queries.values.filter { $0.stage == .running(id) }
            #expect(worker.waitingQueries == waiting.count, sourceLocation: sourceLocation)
            #expect(worker.waitingTokens == waiting.reduce(0) { $0 + $1.prefillTokens }, sourceLocation: sourceLocation)
            #expect(worker.runningQueries == running.count, sourceLocation: sourceLocation)
            #expect(
                worker.contextTokens
                    == running.reduce(0) { $0 + ($1.queued.inputTokens ?? 0) + $1.outputTokens },
                sourceLocation: sourceLocation
            )
        }
        let unplaced = Set(view.queries.values.filter { $0.stage == .unplaced }.map(\.queued.number))
        #expect(Set(view.unplaced) == unplaced, "what is not placed is on the list", sourceLocation: sourceLocation)
        #expect(view.unplaced.count == unplaced.count, sourceLocation: sourceLocation)
    }

    @Test("Under random events every account equals its recomputation; a snapshot rebuilds it", arguments: 0..<20)
    func random(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var view = ClusterView()
        var numbers: [UInt64] = []
        var workers: [UInt64] = []
        for index in 0..<600 as Range<UInt64> {
            let query = numbers.suffix(25).randomElement(using: &generator) ?? 0
            let worker = workers.suffix(6).randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<8:
                workers.append(index + 1)
                view.apply(.joined(index + 1), at: .zero)
            case 8..<11: view.apply(.workerLeft(WorkerID(worker), isDraining: index.isMultiple(of: 2)), at: .zero)
            case 11..<30:
                numbers.append(index + 1)
                view.apply(.queued(index + 1, inputTokens: Int.random(in: 1...500, using: &generator)), at: .zero)
            case 30..<35:
                let tokens = Int.random(in: 1...500, using: &generator)
                view.apply(.queued(query, attempt: 2, inputTokens: tokens, outputTokens: 5), at: .zero)
            case 35..<50: view.place(QueryNumber(query), on: WorkerID(worker))
            case 50..<60: view.apply(.queryDispatched(QueryNumber(query), to: WorkerID(worker), attempt: 1), at: .zero)
            case 60..<88: view.apply(.step(worker, query), at: .zero)
            default: view.apply(.ended(query, inputTokens: 5), at: .zero)
            }
            check(view)
        }
        var rebuilt = ClusterView()
        for id in view.workerOrder {
            guard let worker = view.workers[id] else { continue }
            rebuilt.apply(.workerJoined(worker.joined), at: .zero)
            if worker.isDraining { rebuilt.apply(.workerLeft(id, isDraining: true), at: .zero) }
        }
        for number in view.queries.keys.sorted() {
            guard let query = view.queries[number] else { continue }
            var queued = query.queued
            queued.outputTokens = query.outputTokens
            rebuilt.apply(.queryQueued(queued), at: .zero)
            if let worker = query.worker { rebuilt.apply(.queryDispatched(number, to: worker, attempt: 1), at: .zero) }
        }
        check(rebuilt)
        #expect(rebuilt.workerOrder == view.workerOrder)
        #expect(rebuilt.queries.keys.sorted() == view.queries.keys.sorted())
        for (id, worker) in view.workers {
            // A query that runs counts as a prefill of all that the newcomer was told.
            #expect(rebuilt.workers[id]?.load == worker.load)
            let tokens = view.queries.values.filter { $0.worker == id }
                .reduce(0) { $0 + ($1.queued.inputTokens ?? 0) + $1.outputTokens }
            #expect((rebuilt.workers[id]?.waitingTokens ?? 0) + (rebuilt.workers[id]?.contextTokens ?? 0) == tokens)
        }
    }
}
