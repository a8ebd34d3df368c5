/// Frames that travel as the body of one: each its header, whose length says where the next begins, and its body.
///
/// What a small frame costs on its way is mostly the same for a large one, so that a step of many sequences whose tokens go
/// to the same client should be one.
package struct FrameBundle: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Adds a frame whose body is written by `write`, which only appends.
    package mutating func append(
        kind: FrameKind,
        method: Method,
        session: UInt64,
        stream: UInt64,
        _ write: (inout [UInt8]) -> Void
    ) {
        let start = bytes.count
        let body = start + FrameHeader.byteCount
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.byteCount, alignment: 8) { buffer in
            // Its length is known, and written, afterwards.
            FrameHeader(kind: kind, method: method, session: session, stream: stream, bodyLength: 0).write(to: buffer)
            bytes.append(contentsOf: buffer)
        }
        write(&bytes)
        FrameHeader.setBodyLength(bytes.count - body, inHeaderAt: start, of: &bytes)
        count += 1
    }

    /// Takes everything out.
    package mutating func take() -> FrameBundle {
        defer { self = FrameBundle() }
        return self
    }

    /// Calls `body` with each frame of a bundle, in order.
    ///
    /// - Throws: what is wrong with the first frame that cannot be read; those before it have been passed on.
    package static func split(
        _ bytes: [UInt8],
        _ body: (FrameHeader, [UInt8]) -> Void
    ) throws(MalformedFrame) {
        var start = 0
        while start < bytes.count {
            let header = try bytes.withUnsafeBufferPointer { (buffer) throws(MalformedFrame) in
                try FrameHeader(decodingFirstOf: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[start...]))
            }
            let end = start + FrameHeader.byteCount + Int(header.bodyLength)
            guard header.kind == .item || header.kind == .end else { throw .unknownKind(header.kind.rawValue) }
            body(header, Array(bytes[start + FrameHeader.byteCount..<end]))
            start = end
        }
    }
}

extension FrameHeader {
    /// Reads the header that a longer run of bytes begins with.
    fileprivate init(decodingFirstOf bytes: UnsafeRawBufferPointer) throws(MalformedFrame) {
        guard bytes.count >= Self.byteCount else { throw .tooShort(byteCount: bytes.count) }
        let declared = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        let rest = bytes.count - Self.byteCount
        guard Int(declared) <= rest else { throw .bodyLengthMismatch(declared: declared, actual: rest) }
        try self.init(
            decoding: UnsafeRawBufferPointer(rebasing: bytes[..<Self.byteCount]),
            bodyLength: Int(declared)
        )
    }

    fileprivate static func setBodyLength(_ length: Int, inHeaderAt start: Int, of bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: UInt32(clamping: length).littleEndian, toByteOffset: start + 24, as: UInt32.self)
        }
    }
}
