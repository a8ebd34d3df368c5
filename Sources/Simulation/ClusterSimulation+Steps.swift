internal import Brokering
internal import HeapModule
internal import Scheduling
internal import ServingModel

extension ClusterSimulation {
    mutating func completeSteps() {
        while let end = stepEnds.min, end.time == now {
            stepEnds.removeMin()
            complete(end.worker)
            touched.append(end.worker)
        }
    }

    private mutating func complete(_ worker: Int) {
        let outcome = workers[worker].completeStep(at: now, &queries)
        scheduler.completeLockstep(
            of: WorkerID(index: worker),
            outcome.workload,
            took: outcome.duration,
            preempted: outcome.preempted.map(QueryNumber.init(index:)),
            imported: outcome.imported.map(QueryNumber.init(index:)),
            started: outcome.started.map(QueryNumber.init(index:)),
            at: now
        )
        if admission != nil {
            for index in outcome.started { admission?.firstToken(QueryNumber(index: index), at: now) }
            admission?.workerStepped(WorkerID(index: worker), outcome.workload, took: outcome.duration, at: now)
        }
        if scaler != nil { scaler?.meter.note(outcome, queries, at: now) }
        for index in outcome.finished { end(index, .ok) }
        handBackOutgrown(from: worker)
        if workers[worker].state == .draining { retireIfEmpty(worker) }
    }

    /// Ends the prefill steps of split-phase serving that end now.
    mutating func completePrefills() {
        guard let finished = prefillPool?.completeSteps(&queries, at: now) else { return }
        for index in finished { end(index, .ok) }
    }

    /// A query has come to its end; the next of its conversation will follow.
    mutating func end(_ index: Int, _ code: StatusCode) {
        let progress = queries[index]
        unended -= 1
        if code == .ok { scaler?.meter.noteEnd(of: progress) } else { queries[index].record.isRefused = true }
        admission?.queryEnded(
            QueryNumber(index: index),
            outputTokens: code == .ok ? progress.query.outputTokens : nil,
            metObjective: progress.query.isMet(by: progress.record),
            at: now
        )
        let tokens = Double(progress.query.outputTokens) * configuration.reportedLengthScale
        let ended = QueryEnded(
            query: QueryNumber(index: index),
            code: code,
            inputTokens: progress.query.inputTokens,
            outputTokens: configuration.reportedLengthScale == 1
                ? progress.query.outputTokens : max(1, Int(tokens.rounded()))
        )
        scheduler.apply(.queryEnded(ended), at: now)
        guard let next = successors[index], let wait = queries[next].query.predecessor?.thinkTime else { return }
        releases.insert(TimedQuery(time: now + wait, query: next))
    }

    mutating func startSteps() {
        if touched.count > 1 { touched.sort() }
        for worker in touched where !workers[worker].isBusy {
            guard let duration = workers[worker].startStep(&queries, at: now) else { continue }
            stepEnds.insert(StepEnd(time: now + duration, worker: worker))
        }
        swap(&touched, &lastTouched)
        touched.removeAll(keepingCapacity: true)
        prefillPool?.startSteps(&queries, at: now)
    }

    /// What has outgrown a worker's KV cache is tried elsewhere, with what it has so far, as the broker does; where no
    /// worker is larger its answer can't come to its end.
    private mutating func handBackOutgrown(from worker: Int) {
        guard let index = workers[worker].handBackOutgrown(&queries) else { return }
        let capacity = workers[worker].profile.kvCache.capacityTokens
        let isLargest = !present.contains {
            workers[$0].state == .active && workers[$0].profile.kvCache.capacityTokens > capacity
        }
        guard isLargest else { return retry(index) }
        queries[index].record.worker = nil
        end(index, .outOfRange)
    }
}
