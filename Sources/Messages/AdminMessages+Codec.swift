internal import CAladdinMessages
internal import ServingModel

extension ClusterStatus: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__GetStatusResponse>? {
        aladdin__v1__get_status_response__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__GetStatusResponse>) throws(DecodingFailure) -> ClusterStatus {
        var status = ClusterStatus()
        status.broker = try Reading.string(wire.pointee.broker, "broker")
        status.version = try Reading.string(wire.pointee.version, "version")
        status.uptime = try Reading.milliseconds(wire.pointee.uptime_ms, "uptime_ms")
        status.policy = try Reading.string(wire.pointee.policy, "policy")
        status.decisions = wire.pointee.decisions
        status.decisionP50Microseconds = try Reading.finite(wire.pointee.decision_p50_us, "decision_p50_us")
        status.decisionP99Microseconds = try Reading.finite(wire.pointee.decision_p99_us, "decision_p99_us")
        status.workers = try Reading.list(wire.pointee.n_workers, wire.pointee.workers, "workers")
        status.models = try Reading.list(wire.pointee.n_models, wire.pointee.models, "models")
        status.frontendSessions = Int(wire.pointee.frontend_sessions)
        status.predictions = try Reading.optional(wire.pointee.predictions, "predictions") ?? PredictionErrors()
        status.fleets = try Reading.list(wire.pointee.n_fleets, wire.pointee.fleets, "fleets")
        status.metrics = try Reading.string(wire.pointee.metrics, "metrics")
        let timeToFirstToken = try Reading.microsecondsOrNil(wire.pointee.slo_ttft_us, "slo_ttft_us")
        let averageTokenTime = try Reading.microsecondsOrNil(wire.pointee.slo_atgt_us, "slo_atgt_us")
        if let timeToFirstToken, let averageTokenTime {
            status.objective = ServiceLevelObjective(
                timeToFirstToken: timeToFirstToken,
                averageTokenTime: averageTokenTime
            )
        }
        return status
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__GetStatusResponse> {
        let wire = arena.make(aladdin__v1__get_status_response__init)
        wire.pointee.broker = arena.string(broker)
        wire.pointee.version = arena.string(version)
        wire.pointee.uptime_ms = Writing.milliseconds(uptime)
        wire.pointee.policy = arena.string(policy)
        wire.pointee.decisions = decisions
        wire.pointee.decision_p50_us = Writing.metric(decisionP50Microseconds)
        wire.pointee.decision_p99_us = Writing.metric(decisionP99Microseconds)
        wire.pointee.n_workers = workers.count
        wire.pointee.workers = arena.list(workers)
        wire.pointee.n_models = models.count
        wire.pointee.models = arena.list(models)
        wire.pointee.frontend_sessions = Writing.count32(frontendSessions)
        wire.pointee.predictions = predictions.isEmpty ? nil : predictions.write(in: &arena)
        wire.pointee.n_fleets = fleets.count
        wire.pointee.fleets = arena.list(fleets)
        wire.pointee.metrics = arena.string(metrics)
        wire.pointee.slo_ttft_us = Writing.microseconds(objective?.timeToFirstToken)
        wire.pointee.slo_atgt_us = Writing.microseconds(objective?.averageTokenTime)
        return wire
    }
}

extension WorkerStatus: WireMapped {
    private static let serving = "serving"
    private static let draining = "draining"

    static func read(_ wire: UnsafePointer<Aladdin__V1__WorkerStatus>) throws(DecodingFailure) -> WorkerStatus {
        var profile: LatencyProfile = try Reading.required(wire.pointee.profile, "profile")
        profile.model = try Reading.string(wire.pointee.model, "model")
        var status = WorkerStatus(
            worker: WorkerID(rawValue: wire.pointee.worker),
            name: try Reading.string(wire.pointee.name, "name"),
            engine: try Reading.string(wire.pointee.engine, "engine"),
            profile: profile
        )
        let state = try Reading.string(wire.pointee.state, "state")
        guard state == serving || state == draining else {
            throw DecodingFailure(field: "state", problem: .unknownValue)
        }
        status.isDraining = state == draining
        status.queued = Int(wire.pointee.queued)
        status.waiting = Int(wire.pointee.waiting)
        status.running = Int(wire.pointee.running)
        status.freeKVTokens = try Reading.count(wire.pointee.kv_free_tokens, "kv_free_tokens")
        status.queriesCompleted = wire.pointee.queries_completed
        status.outputTokens = wire.pointee.output_tokens
        status.stepError = try Reading.finite(wire.pointee.step_error, "step_error")
        status.stepBias = try Reading.finite(wire.pointee.step_bias, "step_bias")
        status.steps = wire.pointee.steps
        status.role = try WorkerRole.read(try Reading.string(wire.pointee.role, "role"), "role")
        status.lastStepAge = try Reading.milliseconds(wire.pointee.last_step_age_ms, "last_step_age_ms")
        status.predictions = try Reading.optional(wire.pointee.predictions, "predictions") ?? PredictionErrors()
        return status
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__WorkerStatus> {
        let wire = arena.make(aladdin__v1__worker_status__init)
        wire.pointee.worker = worker.rawValue
        wire.pointee.name = arena.string(name)
        wire.pointee.model = arena.string(profile.model)
        wire.pointee.engine = arena.string(engine)
        wire.pointee.device = arena.string(profile.device)
        wire.pointee.gpus = Writing.count32(profile.gpus)
        wire.pointee.state = arena.string(isDraining ? Self.draining : Self.serving)
        wire.pointee.queued = Writing.count32(queued)
        wire.pointee.waiting = Writing.count32(waiting)
        wire.pointee.running = Writing.count32(running)
        wire.pointee.kv_capacity_tokens = Writing.count64(profile.kvCache.capacityTokens)
        wire.pointee.kv_free_tokens = Writing.count64(freeKVTokens)
        wire.pointee.queries_completed = queriesCompleted
        wire.pointee.output_tokens = outputTokens
        wire.pointee.step_error = Writing.metric(stepError)
        wire.pointee.step_bias = Writing.metric(stepBias)
        wire.pointee.steps = steps
        if role != .both { wire.pointee.role = arena.string(role.rawValue) }
        wire.pointee.last_step_age_ms = Writing.milliseconds(lastStepAge)
        wire.pointee.profile = profile.write(in: &arena)
        wire.pointee.predictions = predictions.isEmpty ? nil : predictions.write(in: &arena)
        return wire
    }
}

extension ModelStatus: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__ModelStatus>) throws(DecodingFailure) -> ModelStatus {
        var status = ModelStatus(model: try Reading.string(wire.pointee.model, "model"))
        status.workers = Int(wire.pointee.workers)
        status.queued = Int(wire.pointee.queued)
        status.running = Int(wire.pointee.running)
        status.completed = wire.pointee.completed
        status.failed = wire.pointee.failed
        status.cancelled = wire.pointee.cancelled
        status.refused = wire.pointee.refused
        status.retried = wire.pointee.retried
        status.outputTokens = wire.pointee.output_tokens
        status.wastedTokens = wire.pointee.wasted_tokens
        status.handovers = wire.pointee.handovers
        status.failedHandovers = wire.pointee.handovers_failed
        status.handoverBytes = wire.pointee.handover_bytes
        status.attainment = try Reading.finite(wire.pointee.attainment, "attainment")
        status.timeToFirstToken = try Reading.optional(wire.pointee.ttft, "ttft") ?? LatencySummary()
        status.averageTokenTime = try Reading.optional(wire.pointee.atgt, "atgt") ?? LatencySummary()
        status.predictions = try predictions(of: wire)
        return status
    }

    /// A broker from before `predictions` sends the first two numbers only.
    private static func predictions(
        of wire: UnsafePointer<Aladdin__V1__ModelStatus>
    ) throws(DecodingFailure) -> PredictionErrors {
        if let predictions: PredictionErrors = try Reading.optional(wire.pointee.predictions, "predictions") {
            return predictions
        }
        var predictions = PredictionErrors()
        predictions.timeToFirstToken.magnitude = try Reading.finite(wire.pointee.ttft_error, "ttft_error")
        predictions.timeToFirstToken.bias = try Reading.finite(wire.pointee.ttft_bias, "ttft_bias")
        return predictions
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ModelStatus> {
        let wire = arena.make(aladdin__v1__model_status__init)
        wire.pointee.model = arena.string(model)
        wire.pointee.workers = Writing.count32(workers)
        wire.pointee.queued = Writing.count32(queued)
        wire.pointee.running = Writing.count32(running)
        wire.pointee.completed = completed
        wire.pointee.failed = failed
        wire.pointee.cancelled = cancelled
        wire.pointee.refused = refused
        wire.pointee.retried = retried
        wire.pointee.output_tokens = outputTokens
        wire.pointee.wasted_tokens = wastedTokens
        wire.pointee.handovers = handovers
        wire.pointee.handovers_failed = failedHandovers
        wire.pointee.handover_bytes = handoverBytes
        wire.pointee.attainment = Writing.metric(attainment)
        wire.pointee.ttft = timeToFirstToken.write(in: &arena)
        wire.pointee.atgt = averageTokenTime.write(in: &arena)
        wire.pointee.ttft_error = Writing.metric(predictions.timeToFirstToken.magnitude)
        wire.pointee.ttft_bias = Writing.metric(predictions.timeToFirstToken.bias)
        wire.pointee.predictions = predictions.isEmpty ? nil : predictions.write(in: &arena)
        return wire
    }
}

extension LatencySummary: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__LatencySummary>) throws(DecodingFailure) -> LatencySummary {
        var summary = LatencySummary()
        summary.p50Milliseconds = try Reading.finite(wire.pointee.p50_ms, "p50_ms")
        summary.p90Milliseconds = try Reading.finite(wire.pointee.p90_ms, "p90_ms")
        summary.p99Milliseconds = try Reading.finite(wire.pointee.p99_ms, "p99_ms")
        summary.count = wire.pointee.count
        return summary
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__LatencySummary> {
        let wire = arena.make(aladdin__v1__latency_summary__init)
        wire.pointee.p50_ms = Writing.metric(p50Milliseconds)
        wire.pointee.p90_ms = Writing.metric(p90Milliseconds)
        wire.pointee.p99_ms = Writing.metric(p99Milliseconds)
        wire.pointee.count = count
        return wire
    }
}
