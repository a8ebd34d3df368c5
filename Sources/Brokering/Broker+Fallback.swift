internal import DequeModule
internal import RecordTables
internal import ServingModel

/// What the broker does while no scheduler is there.
extension Broker {
    /// Places without a scheduler, once its grace is over: in order of arrival, to the worker with the most room.
    ///
    /// Complexity: O(waiting queries × workers) in the worst case, and only while no scheduler is there.
    mutating func placeByFallback(at now: Instant) {
        guard let gone = schedulerGone, gone + configuration.schedulerGrace <= now else { return }
        var left: Deque<QueryNumber> = []
        for number in unplaced {
            guard let record = queries[number], record.state == .queued else {
                queries[number]?.isListed = false
                continue
            }
            guard let worker = roomiest(for: record) else {
                left.append(number)
                continue
            }
            queries[number]?.isListed = false
            let placement = Placement(
                query: number,
                attempt: record.attempt,
                worker: worker,
                predictedTimeToFirstToken: nil,
                explanation: explainRoom(on: worker, for: record, at: now)
            )
            place(placement, isOwn: true, at: now)
        }
        unplaced = left
    }

    private func explainRoom(on chosen: WorkerID, for record: QueryRecord, at now: Instant) -> PlacementExplanation {
        let others = workerOrder.lazy.filter { id in
            id != chosen && workers[id]?.joined.profile.model == record.model
        }
        let candidates = [chosen] + others.prefix(PlacementExplanation.maximumCandidates - 1)
        return PlacementExplanation(
            reason: "no scheduler was connected: the worker with the most room",
            held: now - record.arrival,
            batch: 1,
            candidates: candidates.map { id in
                let isDraining = workers[id]?.isDraining ?? true
                return PlacementExplanation.Candidate(
                    worker: id,
                    terms: [.init("room", Double(workers[id]?.spare ?? 0))],
                    failed: isDraining ? "draining" : ""
                )
            }
        )
    }

    /// Of the workers that are there for the query's phase; of all its model's where there is none of these.
    ///
    /// One on which it has just failed is the last choice.
    private func roomiest(for record: QueryRecord) -> WorkerID? {
        var best: (worker: WorkerID, spare: Int, isFit: Bool)?
        for id in workerOrder {
            guard let worker = workers[id], !worker.isDraining, worker.joined.profile.model == record.model else {
                continue
            }
            let isFit = worker.joined.isMeant(forCacheIn: record.handover?.exchange) && id != record.failedOn
            if let known = best, isFit == known.isFit ? worker.spare <= known.spare : known.isFit { continue }
            best = (id, worker.spare, isFit)
        }
        return best.flatMap { $0.spare > 0 ? $0.worker : nil }
    }
}
