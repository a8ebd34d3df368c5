internal import CAladdinMessages
internal import ServingModel

extension WorkerReport: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__WorkerReport>? {
        aladdin__v1__worker_report__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__WorkerReport>) throws(DecodingFailure) -> WorkerReport {
        switch wire.pointee.report_case {
        case ALADDIN__V1__WORKER_REPORT__REPORT_REGISTRATION:
            return .registration(try Reading.required(wire.pointee.registration, "registration"))
        case ALADDIN__V1__WORKER_REPORT__REPORT_PULL:
            return .pull(granted: try Reading.member(wire.pointee.pull, "pull").granted)
        case ALADDIN__V1__WORKER_REPORT__REPORT_STEP:
            return .step(try Reading.required(wire.pointee.step, "step"))
        case ALADDIN__V1__WORKER_REPORT__REPORT_DRAIN:
            return .drain
        default:
            throw DecodingFailure(field: "report", problem: .missing)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__WorkerReport> {
        let wire = arena.make(aladdin__v1__worker_report__init)
        switch self {
        case .registration(let registration):
            wire.pointee.report_case = ALADDIN__V1__WORKER_REPORT__REPORT_REGISTRATION
            wire.pointee.registration = registration.write(in: &arena)
        case .pull(let granted):
            let pull = arena.make(aladdin__v1__pull__init)
            pull.pointee.granted = granted
            wire.pointee.report_case = ALADDIN__V1__WORKER_REPORT__REPORT_PULL
            wire.pointee.pull = pull
        case .step(let step):
            wire.pointee.report_case = ALADDIN__V1__WORKER_REPORT__REPORT_STEP
            wire.pointee.step = step.write(in: &arena)
        case .drain:
            wire.pointee.report_case = ALADDIN__V1__WORKER_REPORT__REPORT_DRAIN
            wire.pointee.drain = arena.make(aladdin__v1__drain__init)
        }
        return wire
    }
}

extension WorkerRegistration: WireMapped {
    static func read(
        _ wire: UnsafePointer<Aladdin__V1__Registration>
    ) throws(DecodingFailure) -> WorkerRegistration {
        var profile: LatencyProfile = try Reading.required(wire.pointee.profile, "profile")
        profile.model = try Reading.string(wire.pointee.model, "model")
        let batching = try Reading.string(wire.pointee.batching, "batching")
        var registration = WorkerRegistration(
            name: try Reading.string(wire.pointee.name, "name"),
            engine: try Reading.string(wire.pointee.engine, "engine"),
            contextLength: Int(wire.pointee.context_length),
            resumesPrefix: wire.pointee.resumes_prefix != 0,
            keepsPrefixes: wire.pointee.keeps_prefixes != 0,
            batching: try BatchingMode.read(batching, "batching"),
            profile: profile
        )
        registration.role = try WorkerRole.read(try Reading.string(wire.pointee.role, "role"), "role")
        registration.kvExchange = try Reading.string(wire.pointee.kv_exchange, "kv_exchange", atMost: 256)
        return registration
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Registration> {
        let wire = arena.make(aladdin__v1__registration__init)
        wire.pointee.name = arena.string(name)
        wire.pointee.model = arena.string(profile.model)
        wire.pointee.engine = arena.string(engine)
        wire.pointee.context_length = Writing.count32(contextLength)
        wire.pointee.resumes_prefix = resumesPrefix ? 1 : 0
        wire.pointee.keeps_prefixes = keepsPrefixes ? 1 : 0
        wire.pointee.batching = arena.string(batching.rawValue)
        wire.pointee.profile = profile.write(in: &arena)
        // What older brokers know nothing of is left out where it says nothing.
        if role != .both { wire.pointee.role = arena.string(role.rawValue) }
        wire.pointee.kv_exchange = arena.string(kvExchange)
        return wire
    }
}

extension StepReport: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__StepReport>) throws(DecodingFailure) -> StepReport {
        StepReport(
            workload: try Reading.optional(wire.pointee.workload, "workload"),
            duration: try Reading.microseconds(wire.pointee.duration_us, "duration_us"),
            progress: try Reading.list(wire.pointee.n_progress, wire.pointee.progress, "progress"),
            waiting: Int(wire.pointee.waiting),
            freeKVTokens: try Reading.count(wire.pointee.free_kv_tokens, "free_kv_tokens")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__StepReport> {
        let wire = arena.make(aladdin__v1__step_report__init)
        wire.pointee.workload = workload?.write(in: &arena)
        wire.pointee.duration_us = Writing.microseconds(duration)
        wire.pointee.n_progress = progress.count
        wire.pointee.progress = arena.list(progress)
        wire.pointee.waiting = Writing.count32(waiting)
        wire.pointee.free_kv_tokens = Writing.count64(freeKVTokens)
        return wire
    }
}

extension LeaseProgress: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Progress>) throws(DecodingFailure) -> LeaseProgress {
        var progress = LeaseProgress(
            lease: Lease(rawValue: wire.pointee.lease),
            tokens: try Reading.optional(wire.pointee.tokens, "tokens"),
            finished: try Reading.optional(wire.pointee.finished, "finished"),
            failed: try Reading.optional(wire.pointee.failed, "failed")
        )
        progress.handedOver = try Reading.optional(wire.pointee.handed_over, "handed_over")
        return progress
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Progress> {
        let wire = arena.make(aladdin__v1__progress__init)
        wire.pointee.lease = lease.rawValue
        wire.pointee.tokens = tokens?.write(in: &arena)
        wire.pointee.finished = finished?.write(in: &arena)
        wire.pointee.failed = failed?.write(in: &arena)
        wire.pointee.handed_over = handedOver?.write(in: &arena)
        return wire
    }
}

extension HandedOverEvent: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__HandedOver>) throws(DecodingFailure) -> HandedOverEvent {
        HandedOverEvent(
            kvCache: try Reading.string(wire.pointee.kv_cache, "kv_cache", atMost: 64),
            inputTokens: Int(wire.pointee.input_tokens),
            bytes: try Reading.count(wire.pointee.bytes, "bytes")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__HandedOver> {
        let wire = arena.make(aladdin__v1__handed_over__init)
        wire.pointee.kv_cache = arena.string(kvCache)
        wire.pointee.input_tokens = Writing.count32(inputTokens)
        wire.pointee.bytes = Writing.count64(bytes)
        return wire
    }
}
