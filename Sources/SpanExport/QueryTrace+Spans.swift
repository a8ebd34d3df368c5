package import ServingModel

extension QueryTrace {
    /// Stages of a query, each a span within the query's.
    private enum Stage: UInt64 {
        /// Until the broker has answered for it.
        case accepted = 1
        /// Until it is placed on a worker.
        case queued
        /// Until that worker pulls it.
        case dispatched
        /// Until its first token.
        case prefill
        /// Until its last.
        case decode

        /// Where an attempt is split between two workers, the first hands over when it has the first token, and the second
        /// takes over until it has the next.
        func name(in phase: AttemptPhase) -> String {
            switch (self, phase) {
            case (.decode, .prefill): "handover"
            case (.prefill, .decode): "takeover"
            default: "\(self)"
            }
        }
    }

    /// The query as a span, and one for each stage of each attempt.
    ///
    /// Names and attributes are those of OpenTelemetry's conventions for generative AI where there are such, else
    /// `aladdin.…`. There is no content among them.
    ///
    /// - Parameter origin: the wall clock's time at the query's arrival, in nanoseconds since 1970.
    package func spans(arrivedAt origin: Int64) -> [Span] {
        let query = explanation.id
        let whole = SpanID(of: query, part: 0)
        let end = explanation.ended ?? explanation.age
        var root = Span(
            context,
            id: whole,
            name: "\(operation) \(explanation.model)",
            kind: .server,
            start: origin,
            // Its client hears of the end when it has heard of the acceptance.
            end: origin + max(end, accepted ?? .zero).nanoseconds
        )
        describe(&root)
        let inner = context.within(whole)
        func span(
            _ stage: Stage,
            _ attempt: Int,
            _ from: Interval,
            _ to: Interval,
            _ phase: AttemptPhase = .whole
        ) -> Span {
            // The second worker of an attempt has stages of its own.
            let second: UInt64 = phase == .decode ? 0x80 : 0
            let id = SpanID(of: query, part: UInt64(attempt) << 8 | second | stage.rawValue)
            let (start, end) = (origin + from.nanoseconds, origin + to.nanoseconds)
            var span = Span(inner, id: id, name: stage.name(in: phase), kind: .internal, start: start, end: end)
            if attempt > 0 { span["aladdin.attempt"] = .integer(attempt) }
            return span
        }
        var spans = [root]
        if let accepted { spans.append(span(.accepted, 0, .zero, accepted)) }
        var free = Interval.zero
        // Attempts of an earlier broker have no times here.
        for attempt in explanation.attempts where attempt.worker.rawValue > 0 {
            let over = attempt.failed ?? attempt.handedOver ?? end
            // The last of these that began is the one that the attempt ended in.
            let stages: [(stage: Stage, begin: Interval?)] = [
                (.queued, free), (.dispatched, attempt.placed), (.prefill, attempt.dispatched),
                (.decode, attempt.firstToken),
            ]
            let begun = stages.prefix { $0.begin != nil }
            for (index, (stage, begin)) in begun.enumerated() {
                let isLast = index + 1 == begun.count
                let next = isLast ? over : stages[index + 1].begin ?? over
                var part = span(stage, attempt.number, begin ?? .zero, next, attempt.phase)
                describe(&part, attempt, stage)
                if isLast, let failure = attempt.failure { fail(&part, failure) }
                spans.append(part)
            }
            free = over
        }
        // It ended while it waited for its first attempt, or for another one.
        let last = explanation.attempts.last
        if last.map({ ($0.failed ?? $0.handedOver) != nil && free < end }) ?? true {
            let moved = last?.failed == nil && last?.handedOver != nil
            let number = (last?.number ?? 0) + (moved ? 0 : 1)
            spans.append(span(.queued, number, free, end, moved ? .decode : .whole))
        }
        return spans
    }

    private func describe(_ root: inout Span) {
        root["gen_ai.operation.name"] = .text(operation)
        root["gen_ai.provider.name"] = .text("aladdin")
        root["gen_ai.request.model"] = .text(explanation.model)
        root["gen_ai.request.max_tokens"] = .integer(explanation.maxTokens)
        root["gen_ai.response.id"] = .text("\(explanation.id)")
        root["gen_ai.response.model"] = .text(explanation.model)
        if let tokens = explanation.inputTokens { root["gen_ai.usage.input_tokens"] = .integer(tokens) }
        root["gen_ai.usage.output_tokens"] = .integer(explanation.outputTokens)
        if let finish { root["gen_ai.response.finish_reasons"] = .texts([finish]) }
        root["aladdin.slo.ttft_ms"] = .number(explanation.objective.timeToFirstToken.milliseconds)
        root["aladdin.slo.atgt_ms"] = .number(explanation.objective.averageTokenTime.milliseconds)
        if let met = explanation.metObjective { root["aladdin.slo.met"] = .truth(met) }
        if let first = explanation.firstToken { root["aladdin.ttft_ms"] = .number(first.milliseconds) }
        if let pace = explanation.averageTokenTime { root["aladdin.atgt_ms"] = .number(pace.milliseconds) }
        if !explanation.tenant.isEmpty { root["aladdin.tenant"] = .text(explanation.tenant) }
        if explanation.priority != 0 { root["aladdin.priority"] = .integer(explanation.priority) }
        root["aladdin.attempts"] = .integer(Set(explanation.attempts.map(\.number)).count)
        if case .ended(let status) = explanation.state, !status.isOK { fail(&root, status) }
    }

    private func describe(_ span: inout Span, _ attempt: QueryExplanation.Attempt, _ stage: Stage) {
        guard stage != .queued else {
            if !attempt.policy.isEmpty { span["aladdin.policy"] = .text(attempt.policy) }
            span["aladdin.placements"] = .integer(attempt.placements)
            return
        }
        span["aladdin.worker.name"] = .text(attempt.workerName)
        span["aladdin.worker.id"] = .integer(Int(clamping: attempt.worker.rawValue))
        if stage == .prefill, let predicted = attempt.predictedTimeToFirstToken {
            span["aladdin.predicted_ttft_ms"] = .number(predicted.milliseconds)
        }
        if stage == .decode, let predicted = attempt.predictedTokenTime {
            span["aladdin.predicted_atgt_ms"] = .number(predicted.milliseconds)
        }
    }

    /// A client that has left is not the service's failure.
    private func fail(_ span: inout Span, _ status: Status) {
        span["error.type"] = .text(status.reason == .none ? "\(status.code)" : status.reason.label)
        if status.code != .cancelled { span.failure = status.message }
    }
}
