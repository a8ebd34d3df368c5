internal import CAladdinMessages
package import ServingModel

extension Status: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__Status>? {
        aladdin__v1__status__unpack(allocator, count, bytes)
    }

    /// Most streams end well, which nothing has to be written for.
    package func encode() -> [UInt8] { self == .ok ? [] : packed() }

    static func read(_ wire: UnsafePointer<Aladdin__V1__Status>) throws(DecodingFailure) -> Status {
        Status(
            try StatusCode.read(wire.pointee.code, "code"),
            // A newer peer may know more reasons; the code says enough.
            Reason(rawValue: Int32(truncatingIfNeeded: wire.pointee.reason.rawValue)) ?? Reason.none,
            try Reading.string(wire.pointee.message, "message"),
            retryAfter: wire.pointee.retry_after_ms == 0
                ? nil : .milliseconds(Int64(wire.pointee.retry_after_ms))
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Status> {
        let wire = arena.make(aladdin__v1__status__init)
        wire.pointee.code = code.wire
        wire.pointee.reason = Aladdin__V1__Reason(rawValue: .init(truncatingIfNeeded: reason.rawValue))
        wire.pointee.message = arena.string(message)
        wire.pointee.retry_after_ms = UInt32(clamping: Writing.milliseconds(retryAfter))
        return wire
    }
}

extension StatusCode {
    static func read(_ wire: Aladdin__V1__StatusCode, _ field: String) throws(DecodingFailure) -> StatusCode {
        guard let code = StatusCode(rawValue: Int32(truncatingIfNeeded: wire.rawValue)) else {
            throw DecodingFailure(field: field, problem: .unknownValue)
        }
        return code
    }

    var wire: Aladdin__V1__StatusCode {
        Aladdin__V1__StatusCode(rawValue: .init(truncatingIfNeeded: rawValue))
    }
}
