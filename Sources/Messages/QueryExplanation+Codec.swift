internal import CAladdinMessages
package import ServingModel

/// The answer to `Explain`.
extension QueryExplanation: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    /// States on the wire.
    private enum Word {
        static let queued = "queued"
        static let placed = "placed"
        static let running = "running"
        static let ended = "ended"
    }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__ExplainResponse>? {
        aladdin__v1__explain_response__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__ExplainResponse>) throws(DecodingFailure) -> QueryExplanation {
        guard let id = QueryID(try Reading.string(wire.pointee.query_id, "query_id")) else {
            throw DecodingFailure(field: "query_id", problem: .unknownValue)
        }
        var query = QueryExplanation(
            id: id,
            model: try Reading.string(wire.pointee.model, "model"),
            objective: ServiceLevelObjective(
                timeToFirstToken: try Reading.microseconds(wire.pointee.slo_ttft_us, "slo_ttft_us"),
                averageTokenTime: try Reading.microseconds(wire.pointee.slo_atgt_us, "slo_atgt_us")
            )
        )
        query.tenant = try Reading.string(wire.pointee.tenant, "tenant")
        query.priority = Int(wire.pointee.priority)
        query.state = try state(of: wire)
        query.age = try Reading.microseconds(wire.pointee.age_us, "age_us")
        query.inputTokens = wire.pointee.has_input_tokens == 0 ? nil : Int(wire.pointee.input_tokens)
        query.maxTokens = Int(wire.pointee.max_tokens)
        query.outputTokens = Int(wire.pointee.output_tokens)
        query.attempts = try Reading.list(wire.pointee.n_attempts, wire.pointee.attempts, "attempts")
        query.firstToken = try Reading.microsecondsOrNil(wire.pointee.first_token_us, "first_token_us")
        query.ended = try Reading.microsecondsOrNil(wire.pointee.ended_us, "ended_us")
        query.averageTokenTime = try Reading.microsecondsOrNil(wire.pointee.atgt_us, "atgt_us")
        query.metObjective = wire.pointee.has_met_objective == 0 ? nil : wire.pointee.met_objective != 0
        query.workers = try Reading.list(wire.pointee.n_workers, wire.pointee.workers, "workers")
        return query
    }

    private static func state(of wire: UnsafePointer<Aladdin__V1__ExplainResponse>) throws(DecodingFailure) -> State {
        switch try Reading.string(wire.pointee.state, "state") {
        case Word.queued: return .queued
        case Word.placed: return .placed
        case Word.running: return .running
        case Word.ended: return .ended(try Reading.required(wire.pointee.status, "status"))
        default: throw DecodingFailure(field: "state", problem: .unknownValue)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ExplainResponse> {
        let wire = arena.make(aladdin__v1__explain_response__init)
        wire.pointee.query_id = arena.string(id.description)
        wire.pointee.model = arena.string(model)
        wire.pointee.tenant = arena.string(tenant)
        wire.pointee.priority = Int32(clamping: priority)
        writeState(to: wire, in: &arena)
        wire.pointee.age_us = Writing.microseconds(age)
        if let inputTokens {
            wire.pointee.input_tokens = Writing.count32(inputTokens)
            wire.pointee.has_input_tokens = 1
        }
        wire.pointee.max_tokens = Writing.count32(maxTokens)
        wire.pointee.output_tokens = Writing.count32(outputTokens)
        wire.pointee.slo_ttft_us = Writing.microseconds(objective.timeToFirstToken)
        wire.pointee.slo_atgt_us = Writing.microseconds(objective.averageTokenTime)
        wire.pointee.n_attempts = attempts.count
        wire.pointee.attempts = arena.list(attempts)
        wire.pointee.first_token_us = Writing.microseconds(firstToken)
        wire.pointee.ended_us = Writing.microseconds(ended)
        wire.pointee.atgt_us = Writing.microseconds(averageTokenTime)
        wire.pointee.has_met_objective = metObjective == nil ? 0 : 1
        wire.pointee.met_objective = metObjective == true ? 1 : 0
        wire.pointee.n_workers = workers.count
        wire.pointee.workers = arena.list(workers)
        return wire
    }

    private func writeState(
        to wire: UnsafeMutablePointer<Aladdin__V1__ExplainResponse>,
        in arena: inout MessageArena
    ) {
        let name =
            switch state {
            case .queued: Word.queued
            case .placed: Word.placed
            case .running: Word.running
            case .ended: Word.ended
            }
        wire.pointee.state = arena.string(name)
        if case .ended(let status) = state { wire.pointee.status = status.write(in: &arena) }
    }
}

extension QueryExplanation.Attempt: WireMapped {
    static func read(
        _ wire: UnsafePointer<Aladdin__V1__ExplainedAttempt>
    ) throws(DecodingFailure) -> QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: Int(wire.pointee.attempt),
            worker: WorkerID(rawValue: wire.pointee.worker),
            workerName: try Reading.string(wire.pointee.worker_name, "worker_name"),
            policy: try Reading.string(wire.pointee.policy, "policy"),
            placed: try Reading.microseconds(wire.pointee.placed_us, "placed_us")
        )
        attempt.placements = Int(wire.pointee.placements)
        attempt.dispatched = try Reading.microsecondsOrNil(wire.pointee.dispatched_us, "dispatched_us")
        attempt.firstToken = try Reading.microsecondsOrNil(wire.pointee.first_token_us, "first_token_us")
        attempt.failure = try Reading.optional(wire.pointee.failure, "failure")
        attempt.failed = try Reading.microsecondsOrNil(wire.pointee.failed_us, "failed_us")
        attempt.predictedTimeToFirstToken = try Reading.microsecondsOrNil(
            wire.pointee.predicted_ttft_us,
            "predicted_ttft_us"
        )
        attempt.predictedTokenTime = try Reading.microsecondsOrNil(
            wire.pointee.predicted_token_time_us,
            "predicted_token_time_us"
        )
        attempt.explanation = try Reading.optional(wire.pointee.explanation, "explanation")
        let phase = try Reading.string(wire.pointee.phase, "phase")
        guard let known = phase.isEmpty ? .whole : AttemptPhase(rawValue: phase) else {
            throw DecodingFailure(field: "phase", problem: .unknownValue)
        }
        attempt.phase = known
        attempt.handedOver = try Reading.microsecondsOrNil(wire.pointee.handed_over_us, "handed_over_us")
        return attempt
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ExplainedAttempt> {
        let wire = arena.make(aladdin__v1__explained_attempt__init)
        wire.pointee.attempt = Writing.count32(number)
        wire.pointee.worker = worker.rawValue
        wire.pointee.worker_name = arena.string(workerName)
        wire.pointee.policy = arena.string(policy)
        wire.pointee.placed_us = Writing.microseconds(placed)
        wire.pointee.placements = Writing.count32(placements)
        wire.pointee.dispatched_us = Writing.microseconds(dispatched)
        wire.pointee.first_token_us = Writing.microseconds(firstToken)
        wire.pointee.failure = failure?.write(in: &arena)
        wire.pointee.failed_us = Writing.microseconds(failed)
        wire.pointee.predicted_ttft_us = Writing.microseconds(predictedTimeToFirstToken)
        wire.pointee.predicted_token_time_us = Writing.microseconds(predictedTokenTime)
        wire.pointee.explanation = explanation?.write(in: &arena)
        if phase != .whole { wire.pointee.phase = arena.string(phase.rawValue) }
        wire.pointee.handed_over_us = Writing.microseconds(handedOver)
        return wire
    }
}

extension NamedWorker: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__WorkerName>) throws(DecodingFailure) -> NamedWorker {
        NamedWorker(
            worker: WorkerID(rawValue: wire.pointee.worker),
            name: try Reading.string(wire.pointee.name, "name")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__WorkerName> {
        let wire = arena.make(aladdin__v1__worker_name__init)
        wire.pointee.worker = worker.rawValue
        wire.pointee.name = arena.string(name)
        return wire
    }
}
