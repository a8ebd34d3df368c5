package import ServingModel

/// What is wrong with the header of a frame.
///
/// An unsupported version is kept apart: it is answered with `ERROR(UNIMPLEMENTED, REASON_UNSUPPORTED_VERSION)`, and
/// nothing behind the version's byte has been looked at.
package enum MalformedFrame: Error, Hashable, Sendable, CustomStringConvertible {
    case tooShort(byteCount: Int)
    case badMagic
    case unsupportedVersion(major: UInt8)
    case unknownKind(UInt8)
    case unknownMethod(UInt16)
    case reservedBytesNotZero
    case bodyLengthMismatch(declared: UInt32, actual: Int)
    /// A session frame with a stream or a method.
    case streamOnSessionFrame(FrameKind)
    /// A stream frame without a stream or without a method.
    case streamMissing(FrameKind)

    package var description: String {
        switch self {
        case .tooShort(let count): "a header has \(FrameHeader.byteCount) bytes, this has \(count)"
        case .badMagic: "the magic is missing"
        case .unsupportedVersion(let major): "version \(major) is not spoken here, \(FrameHeader.majorVersion) is"
        case .unknownKind(let kind): "unknown frame kind \(kind)"
        case .unknownMethod(let method): "unknown method \(method)"
        case .reservedBytesNotZero: "reserved bytes are not zero"
        case .bodyLengthMismatch(let declared, let actual): "a body of \(declared) bytes declared, \(actual) received"
        case .streamOnSessionFrame(let kind): "\(kind) belongs to no stream"
        case .streamMissing(let kind): "\(kind) needs a stream and a method"
        }
    }

    /// What to answer, if an answer is due.
    package var status: Status {
        if case .unsupportedVersion = self { return Status(.unimplemented, .unsupportedVersion, description) }
        return Status(.invalidArgument, .protocolViolation, description)
    }
}
