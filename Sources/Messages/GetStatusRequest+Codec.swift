internal import CAladdinMessages

/// Asks for the cluster's status.
package struct GetStatusRequest: Hashable, Sendable {
    /// Whether the answer is to carry metrics, too.
    package var wantsMetrics: Bool

    package init(wantsMetrics: Bool = false) {
        self.wantsMetrics = wantsMetrics
    }
}

extension GetStatusRequest: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__GetStatusRequest>? {
        aladdin__v1__get_status_request__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__GetStatusRequest>) throws(DecodingFailure) -> GetStatusRequest {
        GetStatusRequest(wantsMetrics: wire.pointee.with_metrics != 0)
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__GetStatusRequest> {
        let wire = arena.make(aladdin__v1__get_status_request__init)
        wire.pointee.with_metrics = wantsMetrics ? 1 : 0
        return wire
    }
}
