internal import DequeModule
internal import HeapModule
internal import RecordTables
package import ServingModel

extension Broker {
    /// A worker has registered.
    package mutating func workerJoined(_ joined: WorkerJoined, at now: Instant) {
        precondition(workers[joined.worker] == nil, "worker numbers are not reused")
        let model = joined.profile.model
        workers[joined.worker] = WorkerRecord(joined: joined)
        workerOrder.append(joined.worker)
        if models[model] == nil {
            models[model] = ModelRecord(admission: configuration.admission)
            modelOrder.append(model)
            modelOrder.sort()
        }
        models[model]?.workers += 1
        let contextLength = max(models[model]?.contextLength ?? 0, joined.contextLength)
        models[model]?.contextLength = contextLength
        models[model]?.reach = nil
        models[model]?.admission?.workerJoined(joined)
        tell(.workerJoined(joined))
    }

    /// A worker is willing to take `granted` queries in all since it registered.
    package mutating func workerPulled(_ worker: WorkerID, granted: UInt64) {
        guard let place = workers.place(of: worker), !workers[place: place].isDraining,
            granted > workers[place: place].granted
        else { return }
        workers[place: place].granted = granted
        mark(worker)
    }

    /// A worker finishes what it has and takes nothing new.
    package mutating func workerDrains(_ worker: WorkerID, at now: Instant) {
        guard let record = workers[worker], !record.isDraining else { return }
        workers[worker]?.isDraining = true
        models[record.joined.profile.model]?.workers -= 1
        models[record.joined.profile.model]?.admission?.workerLeft(worker)
        tell(.workerLeft(worker, isDraining: true))
        requeueUnpulled(of: worker, at: now)
        startPatience(for: record.joined.profile.model, at: now)
    }

    /// A worker's session is over; what it ran is tried elsewhere.
    package mutating func workerLost(_ worker: WorkerID, at now: Instant) {
        guard let record = workers[worker] else { return }
        if !record.isDraining {
            models[record.joined.profile.model]?.workers -= 1
            workers[worker]?.isDraining = true
        }
        models[record.joined.profile.model]?.admission?.workerLeft(worker)
        tell(.workerLeft(worker, isDraining: false))
        requeueUnpulled(of: worker, at: now)
        // One that had said that it would leave ran out of time, and left: that is no query's fault.
        let status =
            record.isDraining && !record.isExpelled
            ? Status(.unavailable, .shuttingDown, "its worker left before it was done")
            : Status(.unavailable, .workerLost, "its worker was lost")
        let suspects = suspects(on: record)
        for lease in record.leases {
            guard let number = queriesByLease[lease] else { continue }
            retry(number, because: status, suspects: suspects[number] ?? 0, at: now)
        }
        workers[worker] = nil
        workerOrder.removeAll { $0 == worker }
        models[record.joined.profile.model]?.reach = nil
        startPatience(for: record.joined.profile.model, at: now)
    }

    /// A worker reports a step.
    ///
    /// Reports under leases that are not current are discarded and the leases revoked.
    package mutating func workerStepped(_ worker: WorkerID, _ step: WorkerStep, at now: Instant) {
        guard let home = workers.place(of: worker) else { return }
        let model = models.place(of: workers[place: home].joined.profile.model)
        workers[place: home].waiting = step.waiting
        workers[place: home].freeKVTokens = step.freeKVTokens
        workers[place: home].lastStep = now
        var advanced: [StepCompleted.Advance] = []
        advanced.reserveCapacity(step.reports.count)
        var stale: [Lease] = []
        var ended: [(QueryNumber, Status)] = []
        var handedOver: [(QueryNumber, LeaseReport.LeftCache)] = []
        for report in step.reports {
            guard let number = queriesByLease[report.lease], let place = queries.place(of: number),
                queries[place: place].isLeased(to: worker)
            else {
                if report.finish == nil, report.failure == nil { stale.append(report.lease) }
                if let model { models[place: model].wastedTokens += UInt64(report.tokens) }
                continue
            }
            // Its attempt has ended in this very step; nothing can follow.
            guard !ended.contains(where: { $0.0 == number }) else { continue }
            let known = queries[place: place].output.count
            if let status = take(report, for: number, at: place, from: worker, at: now) {
                ended.append((number, status))
            } else if let cache = report.handover {
                handedOver.append((number, cache))
            }
            let added = queries[place: place].output.count - known
            if added > 0 { advanced.append(.init(query: number, tokens: added)) }
        }
        let tokens = advanced.reduce(0) { $0 + $1.tokens }
        workers[place: home].outputTokens += UInt64(tokens)
        if !stale.isEmpty { actions.append(.revoke(worker, stale)) }
        if let workload = step.workload {
            if let model {
                models[place: model].figures.noteStep(workload, took: step.duration)
                // A step of unknown time says nothing about the pace.
                if step.duration > .zero {
                    models[place: model].admission?.workerStepped(worker, workload, took: step.duration, at: now)
                }
            }
            advanced = workers[place: home].takeUntold(beside: advanced)
            tell(
                .stepCompleted(
                    StepCompleted(
                        worker: worker,
                        workload: workload,
                        duration: step.duration,
                        advanced: advanced,
                        waiting: step.waiting,
                        freeKVTokens: step.freeKVTokens
                    )
                )
            )
        } else {
            workers[place: home].keepUntold(advanced)
        }
        for (number, status) in ended { finish(number, with: status, on: worker, at: now) }
        for (number, cache) in handedOver { handOver(number, cache, by: worker, at: now) }
        if workers[place: home].holdsBack { mark(worker) }
    }

    /// Adds one report's tokens to its query.
    ///
    /// - Parameter place: of the query's record.
    /// - Returns: how the attempt ended, or nil if it goes on.
    private mutating func take(
        _ report: LeaseReport,
        for number: QueryNumber,
        at place: Int,
        from worker: WorkerID,
        at now: Instant
    ) -> Status? {
        if let failure = report.failure {
            return failure.isOK ? Status(.internalError, .engineFailed, "its worker failed for no reason") : failure
        }
        if report.tokens > 0 {
            let limit = configuration.maximumOutputBytes
            guard let stored = queries[place: place].append(report, maximumBytes: limit) else {
                return Status(
                    .internalError,
                    .engineFailed,
                    "its worker reported tokens out of order or beyond the limit"
                )
            }
            spooledBytes += stored
            if !queries[place: place].attemptHasToken { noteFirstToken(at: place, from: worker, at: now) }
            queries[place: place].noteTokens(at: now)
            if queries[place: place].durability == .stream { checkpointIfDue(number, at: now) }
            announceReaders(at: place)
        }
        if let inputTokens = report.inputTokens {
            queries[place: place].inputTokens = min(inputTokens, TokenBounds.mostOfPrompt)
        }
        if let cache = report.handover, let status = objection(to: cache, of: queries[place: place]) { return status }
        guard let finish = report.finish else { return nil }
        queries[place: place].finish = finish
        return .ok
    }

    private mutating func finish(_ number: QueryNumber, with status: Status, on worker: WorkerID, at now: Instant) {
        switch status.code {
        case .ok:
            if let home = workers.place(of: worker) { workers[place: home].queriesCompleted += 1 }
            noteTokenTime(of: number, on: worker)
            end(number, with: status, at: now)
        case .outOfRange where status.reason == .outOfMemory:
            // It has outgrown the worker. A larger one goes on with it; without one its answer ends here, as it would at
            // the model's longest context.
            guard isRoomiest(worker) else { return retry(number, because: status, at: now) }
            queries[number]?.finish = .length
            end(number, with: .ok, at: now)
        case .invalidArgument, .outOfRange, .failedPrecondition, .unimplemented:
            // The query itself is at fault: no other worker would take it.
            end(number, with: status, at: now)
        default:
            if case .leased(_, let lease)? = queries[number]?.state { actions.append(.revoke(worker, [lease])) }
            retry(number, because: status, at: now)
        }
    }

    /// Whether no other worker of its model that takes queries has a larger KV cache.
    private func isRoomiest(_ id: WorkerID) -> Bool {
        guard let profile = workers[id]?.joined.profile else { return true }
        return !workerOrder.contains { other in
            guard let worker = workers[other], !worker.isDraining else { return false }
            let theirs = worker.joined.profile
            return theirs.model == profile.model && theirs.kvCache.capacityTokens > profile.kvCache.capacityTokens
        }
    }

    private mutating func requeueUnpulled(of worker: WorkerID, at now: Instant) {
        let queue = workers[worker]?.queue ?? []
        workers[worker]?.queue = []
        for number in queue {
            guard let record = queries[number], record.state == .placed(worker) else { continue }
            workers[worker]?.queued -= 1
            enqueue(record.number, at: now)
        }
    }

    /// The model's last worker left: queries that wait for it do so for a bounded time.
    private mutating func startPatience(for model: String, at now: Instant) {
        guard models[model]?.workers == 0 else { return }
        models[model]?.abandoned = now
        for number in unplaced where queries[number]?.model == model && queries[number]?.state == .queued {
            startPatience(of: number, at: now)
        }
    }

    /// Asks for the end of workers that hold leases and have reported nothing for too long: an engine can hang behind
    /// a session that is well.
    mutating func expelHangingWorkers(at now: Instant) {
        for id in workerOrder {
            guard let worker = workers[id], !worker.isExpelled, !worker.leases.isEmpty,
                let dispatched = worker.lastDispatch
            else { continue }
            let quiet = now - max(dispatched, worker.lastStep ?? dispatched)
            guard quiet >= configuration.enginePatience else { continue }
            workers[id]?.isExpelled = true
            let message = "it holds queries and has reported no step for \(Int(quiet.seconds)) s"
            actions.append(.expel(id, Status(.aborted, .engineStalled, message)))
        }
    }
}
