package import EngineInterface
internal import Messages
internal import RecordTables
package import ServingModel

extension StreamMachine {
    /// How long a query is kept for an engine that has no place for it, before another worker is to have it.
    private static let longestRefusal = Interval.seconds(30)
    private static let pauseOfBusyEngine = Interval.milliseconds(500)

    /// The engine has given tokens.
    package mutating func came(_ tokens: StreamedTokens, of id: SequenceID, at now: Instant) {
        guard let place = sequences.place(of: id), sequences[place: place].isSent else { return }
        let index = sequences[place: place].nextIndex
        guard tokens.count >= 1, tokens.count <= sequences[place: place].request.maxTokens - index,
            tokens.ids.isEmpty || tokens.ids.count == tokens.count
        else {
            fail(
                id,
                Status(.internalError, .engineFailed, "the engine gave more tokens than asked for, or misnumbered")
            )
            return
        }
        if let prompt = tokens.prompt { learn(prompt, at: place) }
        progress.append(
            LeaseProgress(
                lease: sequences[place: place].lease,
                tokens: TokensEvent(
                    firstIndex: index,
                    count: tokens.count,
                    ids: tokens.ids,
                    text: tokens.text
                )
            )
        )
        if isSilent(at: place) { silent -= 1 }
        sequences[place: place].nextIndex = index + tokens.count
        sentTokens += tokens.count
        steps.came(id, tokens: tokens.count, prompt: tokens.prompt, at: now)
        closeSteps()
    }

    /// The engine is done with a query.
    package mutating func ended(_ id: SequenceID, _ result: Result<StreamedEnd, Status>, at now: Instant) {
        guard let place = sequences.place(of: id), sequences[place: place].isSent else { return }
        switch result {
        case .success(let end):
            if let prompt = end.prompt { learn(prompt, at: place) }
            let finished = FinishedEvent(
                reason: end.finish,
                inputTokens: sequences[place: place].isPromptKnown ? sequences[place: place].prompt.tokens : 0,
                outputTokens: sequences[place: place].nextIndex
            )
            tell(finished, of: sequences[place: place].lease)
            forget(id, isAtWork: false)
        case .failure(let status):
            let hasTokens = !isSilent(at: place)
            let since = sequences[place: place].refusedSince ?? now
            if status.code == .resourceExhausted, !hasTokens, !isDraining, now - since < Self.longestRefusal {
                postpone(id, since: since, status.retryAfter, at: now)
            } else if status.code == .resourceExhausted {
                // Told as what is tried elsewhere: the broker's own word for overload ends a query.
                fail(id, Status(.unavailable, .engineFailed, status.message), isAtWork: false)
            } else {
                fail(id, status, isAtWork: false)
            }
        }
        closeSteps()
    }

    /// Reports an end together with the last of the tokens if those have not been taken yet: a short answer is one report.
    private mutating func tell(_ finished: FinishedEvent, of lease: Lease) {
        if let last = progress.indices.last, progress[last].lease == lease {
            progress[last].finished = finished
        } else if progress.isEmpty, let step = stepReports.indices.last,
            let last = stepReports[step].progress.indices.last, stepReports[step].progress[last].lease == lease
        {
            stepReports[step].progress[last].finished = finished
        } else {
            progress.append(LeaseProgress(lease: lease, finished: finished))
        }
    }

    /// The engine is gone, and with it all that it was working on: every lease is given back.
    package mutating func becameUnavailable(_ status: Status) {
        drain()
        let message = "the worker's engine is gone: \(status.message)"
        for id in sequences.keys.sorted() { fail(id, Status(.unavailable, .engineFailed, message)) }
        _ = steps.take()
    }

    /// The engine has no place for a query: it waits at the worker, ahead of those that came later.
    private mutating func postpone(_ id: SequenceID, since: Instant, _ pause: Interval?, at now: Instant) {
        guard let place = sequences.place(of: id) else { return }
        sequences[place: place].isSent = false
        sequences[place: place].refusedSince = since
        sentTokens -= context(at: place)
        steps.ended(id)
        let position = waiting.firstIndex { $0 > id } ?? waiting.endIndex
        waiting.insert(id, at: position)
        // A server that asks for minutes is asked again sooner: the broker waits for none that long.
        busyUntil = max(busyUntil, now + min(pause ?? Self.pauseOfBusyEngine, .seconds(5)))
    }

    private mutating func fail(_ id: SequenceID, _ status: Status, isAtWork: Bool = true) {
        if let place = sequences.place(of: id) {
            progress.append(LeaseProgress(lease: sequences[place: place].lease, failed: status))
        }
        forget(id, isAtWork: isAtWork)
    }

    /// Ends a sequence on the books.
    ///
    /// - Parameter isAtWork: whether the engine has to be told to stop, if it has it at all.
    mutating func forget(_ id: SequenceID, isAtWork: Bool = true) {
        guard let place = sequences.place(of: id) else { return }
        let (isSent, context) = (sequences[place: place].isSent, context(at: place))
        sequencesByLease[sequences[place: place].lease] = nil
        if isSilent(at: place) { silent -= 1 }
        sequences.remove(at: place, key: id)
        guard isSent else {
            waiting.removeAll { $0 == id }
            return
        }
        sentTokens -= context
        steps.ended(id)
        if isAtWork { commands.append(.stop(id)) }
    }
}
