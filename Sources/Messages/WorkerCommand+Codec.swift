internal import CAladdinMessages
internal import ServingModel

extension WorkerCommand: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__WorkerCommand>? {
        aladdin__v1__worker_command__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__WorkerCommand>) throws(DecodingFailure) -> WorkerCommand {
        switch wire.pointee.command_case {
        case ALADDIN__V1__WORKER_COMMAND__COMMAND_REGISTERED:
            let registered = try Reading.member(wire.pointee.registered, "registered")
            return .registered(worker: WorkerID(rawValue: registered.worker))
        case ALADDIN__V1__WORKER_COMMAND__COMMAND_BATCH:
            let batch = try Reading.member(wire.pointee.batch, "batch")
            return .batch(try Reading.list(batch.n_assignments, batch.assignments, "batch.assignments"))
        case ALADDIN__V1__WORKER_COMMAND__COMMAND_CANCEL:
            let cancel = try Reading.member(wire.pointee.cancel, "cancel")
            return .cancel(UnsafeBufferPointer(start: cancel.leases, count: cancel.n_leases).map(Lease.init(rawValue:)))
        case ALADDIN__V1__WORKER_COMMAND__COMMAND_DRAIN:
            return .drain
        default:
            throw DecodingFailure(field: "command", problem: .missing)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__WorkerCommand> {
        let wire = arena.make(aladdin__v1__worker_command__init)
        switch self {
        case .registered(let worker):
            let registered = arena.make(aladdin__v1__registered__init)
            registered.pointee.worker = worker.rawValue
            wire.pointee.command_case = ALADDIN__V1__WORKER_COMMAND__COMMAND_REGISTERED
            wire.pointee.registered = registered
        case .batch(let assignments):
            let batch = arena.make(aladdin__v1__batch__init)
            batch.pointee.n_assignments = assignments.count
            batch.pointee.assignments = arena.list(assignments)
            wire.pointee.command_case = ALADDIN__V1__WORKER_COMMAND__COMMAND_BATCH
            wire.pointee.batch = batch
        case .cancel(let leases):
            let cancel = arena.make(aladdin__v1__cancel_leases__init)
            cancel.pointee.n_leases = leases.count
            cancel.pointee.leases = arena.map(leases) { $0.rawValue }
            wire.pointee.command_case = ALADDIN__V1__WORKER_COMMAND__COMMAND_CANCEL
            wire.pointee.cancel = cancel
        case .drain:
            wire.pointee.command_case = ALADDIN__V1__WORKER_COMMAND__COMMAND_DRAIN
            wire.pointee.drain = arena.make(aladdin__v1__drain__init)
        }
        return wire
    }
}

extension WireAssignment: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Assignment>) throws(DecodingFailure) -> WireAssignment {
        var assignment = WireAssignment(
            lease: Lease(rawValue: wire.pointee.lease),
            queryID: try Reading.string(wire.pointee.query_id, "query_id"),
            attempt: Int(wire.pointee.attempt),
            remaining: wire.pointee.remaining_ms == 0
                ? nil : try Reading.milliseconds(wire.pointee.remaining_ms, "remaining_ms"),
            request: OpaqueRequest(Reading.bytes(wire.pointee.request)),
            resumedTokens: try Reading.tokens(wire.pointee.n_resumed_ids, wire.pointee.resumed_ids, "resumed_ids"),
            traceparent: try Reading.string(wire.pointee.traceparent, "traceparent")
        )
        assignment.handsOver = wire.pointee.hand_over != 0
        assignment.kvCache = try Reading.string(wire.pointee.kv_cache, "kv_cache", atMost: 64)
        return assignment
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Assignment> {
        let wire = arena.make(aladdin__v1__assignment__init)
        wire.pointee.lease = lease.rawValue
        wire.pointee.query_id = arena.string(queryID)
        wire.pointee.attempt = Writing.count32(attempt)
        wire.pointee.remaining_ms = Writing.milliseconds(remaining)
        wire.pointee.request = arena.bytes(request.bytes)
        wire.pointee.n_resumed_ids = resumedTokens.count
        wire.pointee.resumed_ids = arena.tokens(resumedTokens)
        wire.pointee.traceparent = arena.string(traceparent)
        wire.pointee.hand_over = handsOver ? 1 : 0
        wire.pointee.kv_cache = arena.string(kvCache)
        return wire
    }
}
