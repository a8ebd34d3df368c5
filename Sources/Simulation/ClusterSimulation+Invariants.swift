internal import Batching
internal import Brokering
internal import HeapModule
internal import Scheduling
internal import ServingModel

extension ClusterSimulation {
    /// Checks every worker, and that each query is in exactly one place; traps otherwise.
    ///
    /// Complexity: O(queries).
    package func checkInvariants() {
        var unfinished = Array(repeating: 0, count: workers.count)
        var unplaced = 0
        var ended = 0
        for (index, query) in queries.enumerated() {
            if query.record.finish != nil || query.record.isRefused { ended += 1 }
            guard query.record.arrival != nil else {
                precondition(query.record.worker == nil, "query \(index) was placed before it came")
                continue
            }
            precondition((0...query.query.outputTokens).contains(query.generatedTokens))
            guard query.record.finish == nil, !query.record.isRefused else { continue }
            if let worker = query.record.worker { unfinished[worker] += 1 } else { unplaced += 1 }
        }
        if let admission {
            precondition(admission.underWay == unfinished.reduce(unplaced, +), "admitted queries are miscounted")
            admission.checkInvariants()
        }
        precondition(ended + unended == queries.count, "queries that ended are miscounted")
        let there = workers.indices.filter { workers[$0].state != .gone }
        precondition(present == there, "the workers present are mistaken")
        precondition(levels.active == workers.count { $0.state == .active }, "active workers are miscounted")
        precondition(levels.draining == workers.count { $0.state == .draining }, "draining workers are miscounted")
        let starting = present.count - levels.active - levels.draining
        precondition(levels.starting == starting, "workers that start are miscounted")
        var underway = Array(repeating: 0, count: workers.count)
        for delivery in deliveries.unordered { underway[delivery.worker] += 1 }
        for (index, worker) in workers.enumerated() {
            worker.batch.checkInvariants()
            precondition(worker.underway == underway[index], "deliveries are miscounted")
            precondition(worker.load == unfinished[index], "worker \(index) lost a query")
            checkView(of: index)
        }
        precondition(stepEnds.count == workers.count(where: \.isBusy), "a busy worker has no end of step, or two")
        prefillPool?.checkInvariants()
        let held = scheduler.view.unplaced.count + scheduler.view.deferred.count
        precondition(unplaced == held + (prefillPool?.count ?? 0), "a query is neither placed nor held")
    }

    /// Checks that the scheduler believes of a worker what is true.
    private func checkView(of index: Int) {
        let worker = workers[index]
        let slot = scheduler.view.slot(of: WorkerID(index: index))
        switch worker.state {
        case .starting, .gone:
            precondition(worker.load == 0 && !worker.isBusy, "a worker that is not there has queries")
            precondition(slot == nil, "the scheduler knows a worker that is not there")
        case .active, .draining:
            guard let slot else { preconditionFailure("the scheduler does not know worker \(index)") }
            let view = scheduler.view.workers[slot]
            precondition(view.isDraining == (worker.state == .draining))
            precondition(view.load == worker.load, "the scheduler's view of worker \(index) is wrong")
            guard !worker.isBusy else { return }
            let residents = view.residents.count - view.joining.count
            precondition(residents == worker.batch.runningCount, "the scheduler counts other residents on \(index)")
            precondition(
                !view.joining.isEmpty || view.contextTokens == worker.batch.contextTokens,
                "the scheduler counts other contexts on worker \(index)"
            )
        }
    }
}
