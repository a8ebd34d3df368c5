internal import CAladdinMessages

/// A value that has a C structure in `CAladdinMessages`.
protocol WireMapped {
    associatedtype Wire

    /// Copies and checks what protobuf-c unpacked; keeps no pointer into it.
    static func read(_ wire: UnsafePointer<Wire>) throws(DecodingFailure) -> Self

    /// Builds the C structure, and all that it points to, in the arena.
    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Wire>
}

/// A mapped value that is a frame's body.
protocol WireRoot: WireMapped, WireMessage {
    /// protobuf-c's generated function.
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Wire>?

    /// Bytes that decoding may allocate for each byte of a body, beside `baseBudget`.
    static var budgetPerByte: Int { get }
}

/// What any message may allocate, however small.
private let baseBudget = 64 << 10

/// For bodies that hold many small messages: the smallest event is 6 bytes on the wire and 150 in protobuf-c's hands.
let denseBudgetPerByte = 32

extension WireRoot {
    static var budgetPerByte: Int { 8 }

    package func encode() -> [UInt8] { packed() }

    /// What protobuf-c makes of it.
    func packed() -> [UInt8] {
        var arena = MessageArena()
        let wire = UnsafeRawPointer(write(in: &arena)).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = protobuf_c_message_get_packed_size(wire)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = buffer.isEmpty ? 0 : protobuf_c_message_pack(wire, buffer.baseAddress)
        }
    }

    package static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> Self { try unpacked(bytes) }

    /// What protobuf-c reads.
    static func unpacked(_ bytes: [UInt8]) throws(DecodingFailure) -> Self {
        try bytes.withUnsafeBufferPointer { (buffer) throws(DecodingFailure) in
            try decode(UnsafeRawBufferPointer(buffer))
        }
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) -> Self {
        var arena = MessageArena(budget: budget(forBytes: bytes.count), expected: bytes.count * budgetPerByte / 2)
        return try decode(bytes, in: &arena)
    }

    /// What decoding a body of this size may allocate.
    static func budget(forBytes count: Int) -> Int {
        baseBudget + budgetPerByte * count
    }

    /// Decodes with memory from an arena of the caller's.
    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        in arena: inout MessageArena
    ) throws(DecodingFailure) -> Self {
        do {
            return try withUnsafeMutablePointer(to: &arena) { (arena) throws(DecodingFailure) -> Self in
                var allocator = ProtobufCAllocator(
                    alloc: allocateInArena,
                    free: { _, _ in },
                    allocator_data: UnsafeMutableRawPointer(arena)
                )
                let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                guard let wire = unpack(&allocator, bytes.count, start) else {
                    throw DecodingFailure(field: "", problem: arena.pointee.isExhausted ? .overBudget : .notProtobuf)
                }
                return try read(wire)
            }
        } catch {
            throw DecodingFailure(message: "\(Self.self)", field: error.field, problem: error.problem)
        }
    }
}

/// `ProtobufCAllocator.alloc`, its data the arena.
private func allocateInArena(_ arena: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeMutableRawPointer? {
    arena?.assumingMemoryBound(to: MessageArena.self).pointee.allocate(count)
}
