import Brokering
import ServingModel
import Testing

extension ClusterScenario {
    mutating func join() {
        guard workers.count < 4 else { return }
        nextWorker += 1
        let worker = Worker(
            id: WorkerID(rawValue: nextWorker),
            resumesPrefix: chance(70),
            knowsIDs: chance(80)
        )
        workers.append(worker)
        broker.workerJoined(.sample(nextWorker, resumesPrefix: worker.resumesPrefix), at: now)
    }

    mutating func lose() {
        guard let position = workers.indices.randomElement(using: &generator) else { return }
        let worker = workers.remove(at: position)
        for execution in worker.executions where queries[execution.query]?.lease == execution.lease {
            queries[execution.query]?.lease = nil
        }
        broker.workerLost(worker.id, at: now)
        count("lost")
    }

    mutating func drain() {
        guard let position = workers.indices.randomElement(using: &generator) else { return }
        workers[position].isDraining = true
        broker.workerDrains(workers[position].id, at: now)
    }

    mutating func pull() {
        guard let position = workers.indices.randomElement(using: &generator) else { return }
        let worker = workers[position]
        let granted = worker.received + UInt64.random(in: 0...4, using: &generator)
        workers[position].granted = max(worker.granted, granted)
        broker.workerPulled(worker.id, granted: granted)
    }

    mutating func step() {
        guard let position = workers.indices.randomElement(using: &generator) else { return }
        step(position, failures: 6)
    }

    /// A worker's step over all or some of what it believes to hold, revocations that arrived in time left out.
    mutating func step(_ position: Int, failures: Int, finishing: Int = 15) {
        var worker = workers[position]
        if chance(60) {
            let revoked = worker.revoked
            worker.executions.removeAll { revoked.contains($0.lease) }
            worker.revoked = []
        }
        var reports: [LeaseReport] = []
        var left: [Execution] = []
        for execution in worker.executions {
            guard chance(80) else {
                left.append(execution)
                continue
            }
            var execution = execution
            let report = report(&execution, of: worker, failures: failures, finishing: finishing)
            reports.append(report)
            if report.finish == nil, report.failure == nil { left.append(execution) }
        }
        worker.executions = left
        workers[position] = worker
        guard !reports.isEmpty else { return }
        broker.workerStepped(
            worker.id,
            WorkerStep(
                workload: chance(80) ? StepWorkload(kind: .decode, decodeSequences: reports.count) : nil,
                duration: .milliseconds(3),
                reports: reports,
                waiting: 0,
                freeKVTokens: 5
            ),
            at: now
        )
    }

    private mutating func report(
        _ execution: inout Execution,
        of worker: Worker,
        failures: Int,
        finishing: Int
    ) -> LeaseReport {
        var report = LeaseReport(lease: execution.lease)
        let maxTokens = queries[execution.query]?.maxTokens ?? 1
        let isCurrent = queries[execution.query]?.lease == execution.lease
        // An end by deadline or without workers is the broker's own; the scenario hears of it here.
        let counts = isCurrent && broker.query(execution.query)?.hasEnded == false
        if !counts { count("stale") }
        if chance(failures) {
            let isOwnFault = chance(40)
            report.failure = Status(isOwnFault ? .invalidArgument : .internalError)
            if counts {
                queries[execution.query]?.lease = nil
                if isOwnFault { end(execution.query) }
            }
            count("failed")
            return report
        }
        let tokens = min(Int.random(in: 1...3, using: &generator), maxTokens - execution.index)
        if tokens > 0 {
            report.firstIndex = execution.index
            report.tokens = tokens
            let texts = (execution.index..<execution.index + tokens).map { Self.text(execution.lease, $0) }
            report.text = texts.joined()
            if worker.knowsIDs { report.tokenIDs = texts.map(Self.identifier)[...] }
            execution.index += tokens
            if counts {
                queries[execution.query]?.texts += texts
                if !worker.knowsIDs { queries[execution.query]?.hasUnknownIDs = true }
            }
        }
        if execution.index >= maxTokens || chance(finishing) {
            report.finish = execution.index >= maxTokens ? .length : .stop
            report.inputTokens = 3
            if counts { end(execution.query) }
        }
        return report
    }
}
