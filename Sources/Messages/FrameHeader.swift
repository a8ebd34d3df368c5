/// The 32 bytes in front of every message: enough to route, refuse and correlate without parsing the body.
///
/// Little-endian:
///
/// | bytes | field |
/// |---|---|
/// | 0–2 | `ALD` |
/// | 3 | major version, 1 |
/// | 4 | minor version of the sender, ignored by the receiver if higher than its own |
/// | 5 | frame kind |
/// | 6–7 | method of the stream, 0 for session frames |
/// | 8–15 | session, 0 in HELLO |
/// | 16–23 | stream, chosen by the peer that opens it, strictly increasing in a session; 0 for session frames |
/// | 24–27 | length of the body in bytes |
/// | 28–31 | zero |
package struct FrameHeader: Hashable, Sendable {
    package static let byteCount = 32
    package static let majorVersion: UInt8 = 1
    package static let minorVersion: UInt8 = 1

    package var kind: FrameKind
    package var method: Method
    package var session: UInt64
    package var stream: UInt64
    package var bodyLength: UInt32

    package init(kind: FrameKind, method: Method = .unspecified, session: UInt64, stream: UInt64 = 0, bodyLength: Int) {
        self.kind = kind
        self.method = method
        self.session = session
        self.stream = stream
        self.bodyLength = UInt32(clamping: bodyLength)
    }
}
