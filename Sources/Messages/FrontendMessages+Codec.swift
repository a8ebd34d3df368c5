internal import CAladdinMessages

extension AttachRequest: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__AttachRequest>? {
        aladdin__v1__attach_request__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__AttachRequest>) throws(DecodingFailure) -> AttachRequest {
        AttachRequest(
            queryID: try Reading.string(wire.pointee.query_id, "query_id"),
            firstIndex: Int(wire.pointee.first_index),
            seenAttempt: Int(wire.pointee.seen_attempt),
            tenant: try Reading.string(wire.pointee.tenant, "tenant")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__AttachRequest> {
        let wire = arena.make(aladdin__v1__attach_request__init)
        wire.pointee.query_id = arena.string(queryID)
        wire.pointee.first_index = Writing.count32(firstIndex)
        wire.pointee.seen_attempt = Writing.count32(seenAttempt)
        wire.pointee.tenant = arena.string(tenant)
        return wire
    }
}

extension AcknowledgeRequest: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__AcknowledgeRequest>? {
        aladdin__v1__acknowledge_request__unpack(allocator, count, bytes)
    }

    static func read(
        _ wire: UnsafePointer<Aladdin__V1__AcknowledgeRequest>
    ) throws(DecodingFailure) -> AcknowledgeRequest {
        AcknowledgeRequest(
            queryID: try Reading.string(wire.pointee.query_id, "query_id"),
            tenant: try Reading.string(wire.pointee.tenant, "tenant")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__AcknowledgeRequest> {
        let wire = arena.make(aladdin__v1__acknowledge_request__init)
        wire.pointee.query_id = arena.string(queryID)
        wire.pointee.tenant = arena.string(tenant)
        return wire
    }
}

extension CancelRequest: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__CancelRequest>? {
        aladdin__v1__cancel_request__unpack(allocator, count, bytes)
    }

    static func read(
        _ wire: UnsafePointer<Aladdin__V1__CancelRequest>
    ) throws(DecodingFailure) -> CancelRequest {
        CancelRequest(
            queryID: try Reading.string(wire.pointee.query_id, "query_id"),
            tenant: try Reading.string(wire.pointee.tenant, "tenant")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__CancelRequest> {
        let wire = arena.make(aladdin__v1__cancel_request__init)
        wire.pointee.query_id = arena.string(queryID)
        wire.pointee.tenant = arena.string(tenant)
        return wire
    }
}

extension ModelList: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__ListModelsResponse>? {
        aladdin__v1__list_models_response__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__ListModelsResponse>) throws(DecodingFailure) -> ModelList {
        ModelList(models: try Reading.list(wire.pointee.n_models, wire.pointee.models, "models"))
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ListModelsResponse> {
        let wire = arena.make(aladdin__v1__list_models_response__init)
        wire.pointee.n_models = models.count
        wire.pointee.models = arena.list(models)
        return wire
    }
}

extension ModelEntry: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Model>) throws(DecodingFailure) -> ModelEntry {
        ModelEntry(
            name: try Reading.string(wire.pointee.name, "name"),
            workers: Int(wire.pointee.workers),
            contextLength: Int(wire.pointee.context_length),
            engine: try Reading.string(wire.pointee.engine, "engine")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Model> {
        let wire = arena.make(aladdin__v1__model__init)
        wire.pointee.name = arena.string(name)
        wire.pointee.workers = Writing.count32(workers)
        wire.pointee.context_length = Writing.count32(contextLength)
        wire.pointee.engine = arena.string(engine)
        return wire
    }
}
