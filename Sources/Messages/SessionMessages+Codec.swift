internal import CAladdinMessages
internal import ServingModel

extension Hello: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__Hello>? {
        aladdin__v1__hello__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__Hello>) throws(DecodingFailure) -> Hello {
        Hello(
            software: try Reading.string(wire.pointee.software, "software"),
            name: try Reading.string(wire.pointee.name, "name"),
            takesBundles: wire.pointee.takes_bundles != 0
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Hello> {
        let wire = arena.make(aladdin__v1__hello__init)
        wire.pointee.software = arena.string(software)
        wire.pointee.name = arena.string(name)
        wire.pointee.takes_bundles = takesBundles ? 1 : 0
        return wire
    }
}

extension Welcome: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__Welcome>? {
        aladdin__v1__welcome__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__Welcome>) throws(DecodingFailure) -> Welcome {
        Welcome(
            session: wire.pointee.session,
            broker: try Reading.string(wire.pointee.broker, "broker"),
            heartbeatInterval: .milliseconds(Int64(wire.pointee.heartbeat_interval_ms)),
            sessionTimeout: .milliseconds(Int64(wire.pointee.session_timeout_ms)),
            limits: try Reading.required(wire.pointee.limits, "limits")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Welcome> {
        let wire = arena.make(aladdin__v1__welcome__init)
        wire.pointee.session = session
        wire.pointee.broker = arena.string(broker)
        wire.pointee.heartbeat_interval_ms = UInt32(clamping: Writing.milliseconds(heartbeatInterval))
        wire.pointee.session_timeout_ms = UInt32(clamping: Writing.milliseconds(sessionTimeout))
        wire.pointee.limits = limits.write(in: &arena)
        return wire
    }
}

extension SessionLimits: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Limits>) -> SessionLimits {
        var limits = SessionLimits()
        limits.bodyBytes = Int(wire.pointee.body_bytes)
        limits.openCalls = Int(wire.pointee.open_calls)
        limits.metadataEntries = Int(wire.pointee.metadata_entries)
        limits.metadataBytes = Int(wire.pointee.metadata_bytes)
        limits.maxTokens = Int(wire.pointee.max_tokens)
        return limits
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Limits> {
        let wire = arena.make(aladdin__v1__limits__init)
        wire.pointee.body_bytes = Writing.count32(bodyBytes)
        wire.pointee.open_calls = Writing.count32(openCalls)
        wire.pointee.metadata_entries = Writing.count32(metadataEntries)
        wire.pointee.metadata_bytes = Writing.count32(metadataBytes)
        wire.pointee.max_tokens = Writing.count32(maxTokens)
        return wire
    }
}
