internal import CAladdinMessages

/// Asks why a query was placed where it was.
package struct ExplainRequest: Hashable, Sendable {
    package var queryID: String

    package init(queryID: String) {
        self.queryID = queryID
    }
}

extension ExplainRequest: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__ExplainRequest>? {
        aladdin__v1__explain_request__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__ExplainRequest>) throws(DecodingFailure) -> ExplainRequest {
        ExplainRequest(queryID: try Reading.string(wire.pointee.query_id, "query_id"))
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ExplainRequest> {
        let wire = arena.make(aladdin__v1__explain_request__init)
        wire.pointee.query_id = arena.string(queryID)
        return wire
    }
}
