import RecordTables
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
        #expect(view.unplaced.map(\.number) == [QueryNumber(5)])
        view.place(QueryNumber(5), onSlot: 0, at: .zero)
        view.apply(.queryDispatched(QueryNumber(5), to: WorkerID(1), attempt: 1), at: .zero)
        #expect(view.unplaced.isEmpty)
        #expect(view.workers.first?.waitingTokens == 107)
        view.apply(.step(1, 5), at: .zero)
        view.apply(.step(1, 5), at: .zero)
        #expect(view.workers.first?.waitingTokens == 0)
        #expect(view.workers.first?.contextTokens == 109)
        #expect(view.workers.first.map { $0.outputTokens(of: $0.residents[0]) } == 9)
        view.apply(.ended(5), at: .zero)
        #expect(view.workers.first?.load == 0)
        #expect(view.workers.first?.contextTokens == 0)
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
        #expect(view.workers.first?.load == 0 && view.queries.isEmpty && view.unplaced.isEmpty)
        view.apply(.queued(3), at: .zero)
        view.apply(.queryDispatched(QueryNumber(3), to: WorkerID(7), attempt: 1), at: .zero)
        check(view)
        #expect(view.queries[QueryNumber(3)] != nil)
    }

    /// Recomputes every account of the view from its queries.
    private func check(_ view: ClusterView, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(view.workers.map(\.id) == view.workers.map(\.id).sorted(), sourceLocation: sourceLocation)
        for (slot, worker) in view.workers.enumerated() {
            #expect(view.slot(of: worker.id) == slot, sourceLocation: sourceLocation)
            #expect(view.pool(for: "m").contains(slot) != worker.isDraining, sourceLocation: sourceLocation)
            let waiting = view.queries.values.filter { $0.stage == .waiting(worker.id) }
            let running = view.queries.values.filter { $0.stage == .running(worker.id) }
            #expect(Set(worker.waiting.map(\.number)) == Set(waiting.map(\.number)), sourceLocation: sourceLocation)
            #expect(worker.waiting.count == waiting.count, sourceLocation: sourceLocation)
            let tokens = worker.waiting.reduce(0) { $0 + $1.prefillTokens - $1.prefilled }
            #expect(worker.waitingTokens == tokens, sourceLocation: sourceLocation)
            #expect(Set(worker.residents.map(\.number)) == Set(running.map(\.number)), sourceLocation: sourceLocation)
            let contexts = worker.residents.reduce(0) { $0 + $1.inputTokens + worker.outputTokens(of: $1) }
            #expect(worker.contextTokens == contexts, sourceLocation: sourceLocation)
        }
        let unplaced = view.queries.values.filter { $0.stage == .unplaced }.map(\.number).sorted()
        let held = (Array(view.unplaced) + Array(view.deferred)).map(\.number).sorted()
        #expect(held == unplaced, "what is not placed is on a list, once", sourceLocation: sourceLocation)
        #expect(Array(view.unplaced) == view.unplaced.sorted(), "in order of deadlines", sourceLocation: sourceLocation)
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
            case 35..<47:
                let slot = view.slot(of: WorkerID(worker)) ?? -1
                view.place(QueryNumber(query), onSlot: slot, at: .zero)
            case 47..<50: view.defer(QueryNumber(query))
            case 50..<60: view.apply(.queryDispatched(QueryNumber(query), to: WorkerID(worker), attempt: 1), at: .zero)
            case 60..<88: view.apply(.step(worker, query), at: .zero)
            default: view.apply(.ended(query, inputTokens: 5), at: .zero)
            }
            check(view)
        }
        var rebuilt = ClusterView()
        for worker in view.workers {
            rebuilt.apply(.workerJoined(worker.joined), at: .zero)
            if worker.isDraining { rebuilt.apply(.workerLeft(worker.id, isDraining: true), at: .zero) }
        }
        for number in view.queries.keys.sorted() {
            guard let query = view.queries[number] else { continue }
            let event = ClusterEvent.queued(
                number.rawValue,
                model: query.queued.model,
                attempt: query.queued.attempt,
                inputTokens: query.queued.inputTokens,
                outputTokens: outputTokens(of: query, in: view)
            )
            rebuilt.apply(event, at: .zero)
            if let worker = query.worker { rebuilt.apply(.queryDispatched(number, to: worker, attempt: 1), at: .zero) }
        }
        check(rebuilt)
        #expect(rebuilt.workers.map(\.id) == view.workers.map(\.id))
        #expect(rebuilt.queries.keys.sorted() == view.queries.keys.sorted())
        for (old, new) in zip(view.workers, rebuilt.workers) {
            // A query that runs counts as a prefill of all that the newcomer was told.
            #expect(new.load == old.load)
            let tokens = view.queries.values.filter { $0.worker == old.id }
                .reduce(0) { $0 + $1.inputTokens + outputTokens(of: $1, in: view) }
            #expect(new.waitingTokens + new.contextTokens == tokens)
        }
    }

    private func outputTokens(of query: QueryView, in view: ClusterView) -> Int {
        guard case .running(let worker) = query.stage, let slot = view.slot(of: worker),
            let resident = view.workers[slot].residents.first(where: { $0.number == query.number })
        else { return query.outputTokens }
        return view.workers[slot].outputTokens(of: resident)
    }
}
