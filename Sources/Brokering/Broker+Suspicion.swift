internal import DequeModule
internal import RecordTables
internal import ServingModel

/// Which query may be why a worker was lost, and how that is found out.
///
/// Whatever a lost worker computed may be why, but that does not say which of it: most of the time it is none. So the
/// loss casts suspicion on all of them, and until one has got beyond where it was lost, it runs beside no other suspect.
/// Then a loss says which one: that is held against it, and so is the loss of a worker that computed nothing else.
extension Broker {
    /// Among how many each query that a lost worker computed may be why; those that only waited there have no entry.
    func suspects(on worker: WorkerRecord) -> [QueryNumber: Int] {
        let computed = worker.leases.count - worker.waiting
        var running: [QueryNumber] = []
        for (index, lease) in worker.leases.enumerated() {
            guard let number = queriesByLease[lease], let query = queries[number] else { continue }
            // One that was still waiting there can't be why the worker was lost.
            if index < computed || query.attemptHasToken { running.append(number) }
        }
        let known = running.filter { queries[$0]?.isSuspect == true }
        var suspects: [QueryNumber: Int] = [:]
        for number in running { suspects[number] = running.count }
        for number in known { suspects[number] = known.count }
        return suspects
    }

    /// Whether the worker's next query has to wait, so that the worker does not run two suspects.
    ///
    /// It does so for a bounded time: where suspects are many and slow, being served is worth more than being sure.
    mutating func isHeldBack(_ number: QueryNumber, from worker: WorkerRecord, at now: Instant) -> Bool {
        guard let query = queries[number], query.isSuspect,
            worker.leases.contains(where: { queriesByLease[$0].flatMap { queries[$0] }?.isSuspect == true })
        else { return false }
        let since = query.heldBack ?? now
        queries[number]?.heldBack = since
        return since + configuration.suspectPatience > now
    }

    /// Has those looked at again that were held back.
    mutating func markHoldingWorkers() {
        for id in workerOrder where workers[id]?.holdsBack == true { mark(id) }
    }
}

extension QueryRecord {
    /// Whether a worker was lost with it, and it has got no further since.
    var isSuspect: Bool {
        failures.contains { $0.reason == .workerLost && $0.outputTokens >= output.count }
    }
}
