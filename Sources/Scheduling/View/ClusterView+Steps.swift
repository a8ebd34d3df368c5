internal import RecordTables
internal import ServingModel

extension ClusterView {
    /// Learns from a worker's report of a step.
    mutating func complete(_ step: StepCompleted, at now: Instant) {
        guard let slot = slots[step.worker] else { return }
        var started: [QueryNumber] = []
        var advanced: [StepCompleted.Advance] = []
        for advance in step.advanced {
            guard let place = queries.place(of: advance.query) else { continue }
            switch queries[place: place].stage {
            case .waiting(step.worker):
                started.append(advance.query)
                if advance.tokens > 1 { advanced.append(.init(query: advance.query, tokens: advance.tokens - 1)) }
            case .running(step.worker): advanced.append(advance)
            default: break
            }
        }
        let joining = workers[slot].joining
        let imported = joining.isEmpty ? [] : joining.filter { number in advanced.contains { $0.query == number } }
        let decoding = workers[slot].residents.count - (joining.count - imported.count)
        let isLockstep = advanced.count == decoding && advanced.allSatisfy { $0.tokens == 1 }
        let decoded: SteppedDecodes = isLockstep ? .every : .some(advanced)
        let preempted = isLockstep ? [] : stalled(on: slot, beside: advanced, in: step.workload)
        completeStep(
            of: slot,
            step.workload,
            took: step.duration,
            preempted,
            decoded,
            imported: imported,
            started: started,
            at: now
        )
    }

    /// Which residents got tokens in a step.
    enum SteppedDecodes {
        case every
        case some([StepCompleted.Advance])
    }

    /// Notes a step's results: residents that lost their KV memory before it, tokens, and prompts that were completed.
    mutating func completeStep(
        of slot: Int,
        _ workload: StepWorkload,
        took duration: Interval,
        _ preempted: [QueryNumber],
        _ decoded: SteppedDecodes,
        imported: [QueryNumber] = [],
        started: [QueryNumber],
        at now: Instant
    ) {
        if learnsStepTimes {
            workers[slot].estimator.observe(workload, took: duration)
            workers[slot].model = StepModel(workers[slot].estimator.profile)
        }
        notePrefillTime(workload, duration, on: slot, at: now)
        for number in imported { workers[slot].joining.removeAll { $0 == number } }
        for number in preempted { preempt(number, on: slot) }
        if workload.kind == .mixed { workers[slot].takeIn(workload.prefillTokens) }
        switch decoded {
        case .every where workload.kind != .prefill: workers[slot].advanceAll()
        case .every: break
        case .some(let advances):
            for advance in advances { workers[slot].advance(advance.query, by: advance.tokens) }
        }
        for number in started { start(number, on: slot, at: now) }
        workers[slot].step = nil
        noteChange(of: slot)
        stepless.append(slot)
    }

    /// Residents that a decode left out: they were preempted.
    ///
    /// Only a step that names all its decodes tells; an engine that reports tokens late does not.
    private func stalled(
        on slot: Int,
        beside advanced: [StepCompleted.Advance],
        in workload: StepWorkload
    ) -> [QueryNumber] {
        let residents = workers[slot].residents
        guard workload.kind != .prefill, workload.decodeSequences == advanced.count, residents.count > advanced.count
        else { return [] }
        let running = Set(advanced.map(\.query))
        // What the worker has not taken in yet can't have been preempted.
        let joining = workers[slot].joining
        return residents.reversed().map(\.number).filter { !running.contains($0) && !joining.contains($0) }
    }

    private mutating func start(_ number: QueryNumber, on slot: Int, at now: Instant) {
        guard let place = queries.place(of: number), workers[slot].dequeue(number) != nil else { return }
        let query = queries[place: place]
        let firstToken = query.firstToken ?? now
        queries[place: place].stage = .running(workers[slot].id)
        queries[place: place].firstToken = firstToken
        queries[place: place].outputTokens += 1
        workers[slot].start(
            WorkerView.Resident(
                number: number,
                tokenTime: query.objective.averageTokenTime.seconds,
                firstToken: firstToken.seconds,
                inputTokens: query.inputTokens,
                canMeet: firstToken <= query.deadline,
                lengthHint: query.lengthHint,
                offset: query.outputTokens + 1 - workers[slot].lockstepTokens
            )
        )
    }

    private mutating func preempt(_ number: QueryNumber, on slot: Int) {
        guard let query = queries[number] else { return }
        guard let resident = workers[slot].stop(number) else {
            // In the middle of its prefill: it starts over.
            guard var entry = workers[slot].dequeue(number) else { return }
            entry.prefilled = 0
            workers[slot].enqueue(entry, ahead: true)
            return
        }
        let tokens = workers[slot].outputTokens(of: resident)
        queries[number]?.stage = .waiting(workers[slot].id)
        queries[number]?.outputTokens = tokens
        workers[slot].enqueue(
            WorkerView.Waiting(
                number: number,
                arrival: query.arrival,
                deadline: .distantFuture,
                prefillTokens: resident.inputTokens + tokens,
                tokenTime: resident.tokenTime,
                lengthHint: query.lengthHint
            ),
            ahead: true
        )
    }

    private mutating func notePrefillTime(_ workload: StepWorkload, _ took: Interval, on slot: Int, at now: Instant) {
        switch workload.kind {
        case .decode: break
        case .prefill: prefillTime.add(took.seconds, at: now)
        case .mixed:
            let decode = workers[slot].model.decode(
                sequences: Double(workload.decodeSequences),
                context: Double(workload.contextTokens)
            )
            prefillTime.add(max(0, took.seconds - decode), at: now)
        }
    }
}
