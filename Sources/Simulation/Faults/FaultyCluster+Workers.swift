internal import Batching
internal import Brokering
internal import ServingModel

/// Workers' processes: the production batch, and an engine that takes its time, fails, hangs and dies.
extension FaultyCluster {
    mutating func workerOpened(_ worker: Int) {
        send(.register, from: peer(ofWorker: worker))
        report(worker, computed: nil)
    }

    mutating func workerLost(_ worker: Int) {
        workers[worker].reset()
        // Whoever was killed drops nothing.
        if !workers[worker].isZombie { dropCaches(of: worker, Array(workers[worker].left.keys)) }
    }

    private mutating func dropCaches(of worker: Int, _ leases: [Lease]) {
        for lease in leases {
            if let name = workers[worker].left.removeValue(forKey: lease) { caches[name] = nil }
        }
    }

    /// Takes a query on, if its KV cache is there where it has one.
    private mutating func take(_ assignment: Assignment, _ number: Int, on worker: Int) {
        guard !assignment.kvCache.isEmpty else { return workers[worker].take(assignment, of: works[number]) }
        let cache = caches.removeValue(forKey: assignment.kvCache)
        guard let cache, !chance(plan.cacheLossChance) else {
            coverage.note(.cacheGone)
            tell("worker \(worker) finds no KV cache \(assignment.kvCache)")
            return workers[worker].refuse(assignment, Status(.aborted, .handoverFailed, "the KV cache is gone"))
        }
        guard cache.work == number, cache.tokens == assignment.resumedTokens.count else {
            return fail(.oneStream, "work \(number) is to go on from the KV cache of \(cache)")
        }
        coverage.note(.cacheTaken)
        workers[worker].take(assignment, of: works[number])
    }

    /// Leaves the KV cache of a sequence that has a token, as it was asked to.
    private mutating func leaveCache(_ key: SequenceKey, _ sequence: FaultWorker.Sequence, on worker: Int) {
        let name = "cache-\(sequence.lease.rawValue)"
        caches[name] = FaultCache(work: sequence.work, tokens: sequence.nextIndex + 1)
        workers[worker].left[sequence.lease] = name
        coverage.note(.cacheLeft)
        var report = LeaseReport(lease: sequence.lease)
        report.handover = LeaseReport.LeftCache(
            kvCache: name,
            inputTokens: works[sequence.work].inputTokens,
            bytes: 1
        )
        workers[worker].progress.append(report)
    }

    mutating func tellWorker(_ worker: Int, _ reply: FaultReply) {
        switch reply {
        case .batch(let assignments):
            for assignment in assignments {
                guard let number = FaultWork.number(of: assignment.request), number < works.count else { continue }
                take(assignment, number, on: worker)
            }
        case .revoke(let leases):
            workers[worker].revoke(leases)
            dropCaches(of: worker, leases)
        default: return
        }
        startStep(of: worker)
        report(worker, computed: nil)
    }

    mutating func startStep(of worker: Int) {
        guard workers[worker].step == nil, !workers[worker].isHanging, let step = workers[worker].batch.startStep()
        else { return }
        coverage.note(.preempted, step.preempted.count)
        workers[worker].step = step
        workers[worker].steps += 1
        let milliseconds = workers[worker].stepMilliseconds * (0.8 + 0.4 * generator.uniform())
        let incarnation = peers[peer(ofWorker: worker)].incarnation
        schedule(
            .stepEnded(worker: worker, incarnation: incarnation, step: workers[worker].steps),
            after: milliseconds
        )
    }

    mutating func endStep(of worker: Int, _ number: Int) {
        guard workers[worker].steps == number, let step = workers[worker].step else { return }
        guard !workers[worker].isHanging else {
            // The engine sits in the middle of it; it is taken up when it wakes.
            let incarnation = peers[peer(ofWorker: worker)].incarnation
            schedule(.stepEnded(worker: worker, incarnation: incarnation, step: number), after: 20)
            return
        }
        workers[worker].step = nil
        let computed = step.decodes + step.chunks.filter(\.completesPrompt).map(\.sequence)
        var finished: [SequenceKey] = []
        for key in computed {
            guard let sequence = workers[worker].sequences[key.rawValue], !sequence.isCancelled else { continue }
            if works[sequence.work].poisonIndex == sequence.nextIndex {
                tell("worker \(worker) dies of work \(sequence.work)")
                kill(peer(ofWorker: worker), restartAfter: Double(pick(20...400)))
                return
            }
            if !isCalm, chance(plan.engineFailureChance) {
                var report = LeaseReport(lease: sequence.lease)
                report.failure = Status(.internalError, .engineFailed, "the engine failed")
                workers[worker].report(report)
                _ = workers[worker].batch.cancel(key)
                workers[worker].sequences[key.rawValue] = nil
            } else if produce(key, sequence, on: worker) {
                finished.append(key)
            } else if sequence.handsOver {
                leaveCache(key, sequence, on: worker)
                finished.append(key)
            }
        }
        completeStep(of: worker, finished)
        report(worker, computed: (step.workload, .seconds(rounding: workers[worker].stepMilliseconds / 1000)))
        startStep(of: worker)
    }

    private mutating func completeStep(of worker: Int, _ finished: [SequenceKey]) {
        for key in workers[worker].batch.completeStep(finished: finished) + finished {
            workers[worker].sequences[key.rawValue] = nil
        }
        workers[worker].batch.checkInvariants()
    }

    /// One token.
    ///
    /// - Returns: whether it was the last.
    private mutating func produce(_ key: SequenceKey, _ sequence: FaultWorker.Sequence, on worker: Int) -> Bool {
        let work = works[sequence.work]
        let index = sequence.nextIndex
        let token = FaultToken.make(work: work.number, attempt: sequence.attempt, index: index)
        var report = LeaseReport(lease: sequence.lease)
        report.firstIndex = index
        report.tokens = 1
        report.tokenIDs = workers[worker].knowsIDs ? [token] : []
        report.text = FaultToken.text(token)
        let produced = index + 1
        let stop = max(work.stop(in: sequence.attempt), sequence.resumed + 1)
        if produced >= work.maxTokens { report.finish = .length } else if produced >= stop { report.finish = .stop }
        report.inputTokens = report.finish == nil ? nil : work.inputTokens
        workers[worker].report(report)
        workers[worker].sequences[key.rawValue]?.nextIndex = produced
        return report.finish != nil
    }

    /// Tells the broker what there is to tell: tokens, perhaps those of several steps together, and room.
    func mustFlush(_ worker: Int) -> Bool {
        workers[worker].steps % workers[worker].flushEvery == 0 || workers[worker].sequences.isEmpty
            || workers[worker].progress.contains { $0.finish != nil || $0.failure != nil || $0.handover != nil }
    }

    mutating func report(_ worker: Int, computed: (workload: StepWorkload, duration: Interval)?) {
        let peer = peer(ofWorker: worker)
        guard peers[peer].session != nil else { return }
        let progress = mustFlush(worker) ? workers[worker].progress : []
        if computed != nil || !progress.isEmpty {
            if !progress.isEmpty { workers[worker].progress.removeAll() }
            let batch = workers[worker].batch
            let step = WorkerStep(
                workload: computed?.workload,
                duration: computed?.duration ?? .zero,
                reports: progress,
                waiting: batch.waitingCount + batch.prefillingCount,
                freeKVTokens: batch.blocks.free * batch.blocks.blockTokens
            )
            send(.report(step), from: peer)
        }
        if let granted = workers[worker].grant() { send(.pull(granted: granted), from: peer) }
        // One that drained leaves when it is done, and comes again.
        if workers[worker].isDraining, workers[worker].sequences.isEmpty, workers[worker].progress.isEmpty {
            send(.goodbye, from: peer)
            sessionLost(peer)
        }
    }

    mutating func drain(_ worker: Int) {
        guard peers[peer(ofWorker: worker)].session != nil, !workers[worker].isDraining else { return }
        workers[worker].isDraining = true
        send(.drain, from: peer(ofWorker: worker))
        report(worker, computed: nil)
    }
}

/// A KV cache that a worker has left for another.
struct FaultCache: Hashable, Sendable {
    let work: Int
    /// Output tokens when it was left.
    let tokens: Int
}
