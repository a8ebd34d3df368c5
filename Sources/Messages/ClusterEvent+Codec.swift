internal import CAladdinMessages
internal import ServingModel

extension WorkerJoined: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__WorkerJoined>) throws(DecodingFailure) -> WorkerJoined {
        let registration: WorkerRegistration = try Reading.required(wire.pointee.registration, "registration")
        var joined = WorkerJoined(
            worker: WorkerID(rawValue: wire.pointee.worker),
            name: registration.name,
            engine: registration.engine,
            contextLength: registration.contextLength,
            resumesPrefix: registration.resumesPrefix,
            keepsPrefixes: registration.keepsPrefixes,
            batching: registration.batching,
            profile: registration.profile
        )
        joined.role = registration.role
        joined.kvExchange = registration.kvExchange
        return joined
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__WorkerJoined> {
        var registration = WorkerRegistration(
            name: name,
            engine: engine,
            contextLength: contextLength,
            resumesPrefix: resumesPrefix,
            keepsPrefixes: keepsPrefixes,
            batching: batching,
            profile: profile
        )
        registration.role = role
        registration.kvExchange = kvExchange
        let wire = arena.make(aladdin__v1__worker_joined__init)
        wire.pointee.worker = worker.rawValue
        wire.pointee.registration = registration.write(in: &arena)
        return wire
    }
}

extension QueuedQuery: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__QueryQueued>) throws(DecodingFailure) -> QueuedQuery {
        guard let id = QueryID(try Reading.string(wire.pointee.query_id, "query_id")) else {
            throw DecodingFailure(field: "query_id", problem: .unknownValue)
        }
        let objective = ServiceLevelObjective(
            timeToFirstToken: try Reading.microseconds(wire.pointee.slo_ttft_us, "slo_ttft_us"),
            averageTokenTime: try Reading.microseconds(wire.pointee.slo_atgt_us, "slo_atgt_us")
        )
        let hint = Int(wire.pointee.output_tokens_hint)
        var query = QueuedQuery(
            number: QueryNumber(rawValue: wire.pointee.query),
            id: id,
            model: try Reading.string(wire.pointee.model, "model"),
            attempt: Int(wire.pointee.attempt),
            age: try Reading.microseconds(wire.pointee.age_us, "age_us"),
            inputTokens: wire.pointee.has_input_tokens != 0 ? Int(wire.pointee.input_tokens) : nil,
            promptBytes: Int(wire.pointee.prompt_bytes),
            maxTokens: Int(wire.pointee.max_tokens),
            outputTokensHint: hint == 0 ? nil : hint,
            outputTokens: Int(wire.pointee.output_tokens),
            objective: objective,
            priority: Int(wire.pointee.priority),
            tenant: try Reading.string(wire.pointee.tenant, "tenant"),
            remaining: wire.pointee.remaining_us == 0
                ? nil : try Reading.microseconds(wire.pointee.remaining_us, "remaining_us"),
            blocks: Array(UnsafeBufferPointer(start: wire.pointee.prompt_blocks, count: wire.pointee.n_prompt_blocks)),
            blockShare: Double(min(wire.pointee.prompt_block_bytes, wire.pointee.prompt_bytes))
                / Double(max(1, wire.pointee.prompt_bytes))
        )
        let exchange = try Reading.string(wire.pointee.kv_exchange, "kv_exchange", atMost: 256)
        if !exchange.isEmpty {
            let age = try Reading.microseconds(wire.pointee.first_token_age_us, "first_token_age_us")
            query.handover = Handover(exchange: exchange, firstTokenAge: age)
        }
        if wire.pointee.failed_on > 0 { query.failedOn = WorkerID(rawValue: wire.pointee.failed_on) }
        return query
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__QueryQueued> {
        let wire = arena.make(aladdin__v1__query_queued__init)
        wire.pointee.query = number.rawValue
        wire.pointee.query_id = arena.string(id.description)
        wire.pointee.model = arena.string(model)
        wire.pointee.attempt = Writing.count32(attempt)
        wire.pointee.age_us = Writing.microseconds(age)
        wire.pointee.input_tokens = Writing.count32(inputTokens ?? 0)
        wire.pointee.has_input_tokens = inputTokens == nil ? 0 : 1
        wire.pointee.prompt_bytes = Writing.count32(promptBytes)
        wire.pointee.max_tokens = Writing.count32(maxTokens)
        wire.pointee.output_tokens_hint = Writing.count32(outputTokensHint ?? 0)
        wire.pointee.output_tokens = Writing.count32(outputTokens)
        wire.pointee.slo_ttft_us = Writing.microseconds(objective.timeToFirstToken)
        wire.pointee.slo_atgt_us = Writing.microseconds(objective.averageTokenTime)
        wire.pointee.priority = Int32(clamping: priority)
        wire.pointee.tenant = arena.string(tenant)
        wire.pointee.remaining_us = Writing.microseconds(remaining)
        if !blocks.isEmpty {
            wire.pointee.n_prompt_blocks = blocks.count
            wire.pointee.prompt_blocks = arena.map(blocks) { $0 }
            wire.pointee.prompt_block_bytes = Writing.count32(Int((blockShare * Double(promptBytes)).rounded()))
        }
        if let handover {
            wire.pointee.kv_exchange = arena.string(handover.exchange)
            wire.pointee.first_token_age_us = Writing.microseconds(handover.firstTokenAge)
        }
        wire.pointee.failed_on = failedOn?.rawValue ?? 0
        return wire
    }
}

extension StepCompleted: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__StepCompleted>) throws(DecodingFailure) -> StepCompleted {
        guard wire.pointee.n_queries == wire.pointee.n_tokens else {
            throw DecodingFailure(field: "tokens", problem: .lengthMismatch)
        }
        let queries = UnsafeBufferPointer(start: wire.pointee.queries, count: wire.pointee.n_queries)
        let tokens = UnsafeBufferPointer(start: wire.pointee.tokens, count: wire.pointee.n_tokens)
        return StepCompleted(
            worker: WorkerID(rawValue: wire.pointee.worker),
            workload: try Reading.required(wire.pointee.workload, "workload"),
            duration: try Reading.microseconds(wire.pointee.duration_us, "duration_us"),
            advanced: zip(queries, tokens).map { query, tokens in
                Advance(query: QueryNumber(rawValue: query), tokens: Int(tokens))
            },
            waiting: Int(wire.pointee.waiting),
            freeKVTokens: try Reading.count(wire.pointee.free_kv_tokens, "free_kv_tokens")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__StepCompleted> {
        let wire = arena.make(aladdin__v1__step_completed__init)
        wire.pointee.worker = worker.rawValue
        wire.pointee.workload = workload.write(in: &arena)
        wire.pointee.duration_us = Writing.microseconds(duration)
        wire.pointee.n_queries = advanced.count
        wire.pointee.queries = arena.map(advanced) { $0.query.rawValue }
        wire.pointee.n_tokens = advanced.count
        wire.pointee.tokens = arena.map(advanced) { Writing.count32($0.tokens) }
        wire.pointee.waiting = Writing.count32(waiting)
        wire.pointee.free_kv_tokens = Writing.count64(freeKVTokens)
        return wire
    }
}

extension QueryEnded: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__QueryEnded>) throws(DecodingFailure) -> QueryEnded {
        QueryEnded(
            query: QueryNumber(rawValue: wire.pointee.query),
            code: try StatusCode.read(wire.pointee.code, "code"),
            inputTokens: Int(wire.pointee.input_tokens),
            outputTokens: Int(wire.pointee.output_tokens)
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__QueryEnded> {
        let wire = arena.make(aladdin__v1__query_ended__init)
        wire.pointee.query = query.rawValue
        wire.pointee.code = code.wire
        wire.pointee.input_tokens = Writing.count32(inputTokens)
        wire.pointee.output_tokens = Writing.count32(outputTokens)
        return wire
    }
}
