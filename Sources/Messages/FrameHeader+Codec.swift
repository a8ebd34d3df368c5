extension FrameKind {
    /// Whether frames of this kind belong to a stream, and so carry its number and its method.
    package var belongsToStream: Bool {
        switch self {
        case .call, .item, .end, .cancel: true
        case .hello, .welcome, .ping, .pong, .goodbye, .error, .bundle: false
        }
    }
}

extension FrameHeader {
    private static let magic: (UInt8, UInt8, UInt8) = (UInt8(ascii: "A"), UInt8(ascii: "L"), UInt8(ascii: "D"))

    package func encode() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            write(to: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: Self.byteCount))
            count = Self.byteCount
        }
    }

    /// Writes the 32 bytes to the buffer's beginning.
    ///
    /// - Precondition: the buffer has room for them.
    package func write(to buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count >= Self.byteCount, "a header takes 32 bytes")
        buffer[0] = Self.magic.0
        buffer[1] = Self.magic.1
        buffer[2] = Self.magic.2
        buffer[3] = Self.majorVersion
        buffer[4] = Self.minorVersion
        buffer[5] = kind.rawValue
        buffer.storeBytes(of: method.rawValue.littleEndian, toByteOffset: 6, as: UInt16.self)
        buffer.storeBytes(of: session.littleEndian, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: stream.littleEndian, toByteOffset: 16, as: UInt64.self)
        buffer.storeBytes(of: bodyLength.littleEndian, toByteOffset: 24, as: UInt32.self)
        buffer.storeBytes(of: 0, toByteOffset: 28, as: UInt32.self)
    }

    /// Reads and checks a header.
    ///
    /// - Parameters:
    ///   - bytes: The header's frame; bytes beyond 32 belong to a later minor version and are ignored.
    ///   - actualLength: How long the body that came with it is.
    /// - Throws: The first thing found wrong.
    package init(decoding bytes: UnsafeRawBufferPointer, bodyLength actualLength: Int) throws(MalformedFrame) {
        guard bytes.count >= Self.byteCount else { throw .tooShort(byteCount: bytes.count) }
        guard (bytes[0], bytes[1], bytes[2]) == Self.magic else { throw .badMagic }
        guard bytes[3] == Self.majorVersion else { throw .unsupportedVersion(major: bytes[3]) }
        guard let kind = FrameKind(rawValue: bytes[5]) else { throw .unknownKind(bytes[5]) }
        let methodNumber = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        guard let method = Method(rawValue: methodNumber) else { throw .unknownMethod(methodNumber) }
        guard bytes.loadUnaligned(fromByteOffset: 28, as: UInt32.self) == 0 else { throw .reservedBytesNotZero }
        let declared = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        guard Int(declared) == actualLength else {
            throw .bodyLengthMismatch(declared: declared, actual: actualLength)
        }
        let stream = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        if kind.belongsToStream {
            guard stream != 0, method != .unspecified else { throw .streamMissing(kind) }
        } else {
            guard stream == 0, method == .unspecified else { throw .streamOnSessionFrame(kind) }
        }
        let session = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        self.init(kind: kind, method: method, session: session, stream: stream, bodyLength: actualLength)
    }

    package init(decoding bytes: [UInt8], bodyLength: Int) throws(MalformedFrame) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(MalformedFrame) in
            try FrameHeader(decoding: UnsafeRawBufferPointer(buffer), bodyLength: bodyLength)
        }
    }
}
