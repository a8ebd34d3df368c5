import Messages
import ServingModel
import Testing

@Suite("Frame headers")
struct FrameHeaderTests {
    private let call = FrameHeader(kind: .call, method: .generate, session: 7, stream: 3, bodyLength: 10)
    private let ping = FrameHeader(kind: .ping, session: 7, bodyLength: 0)

    private func failure(of bytes: [UInt8], bodyLength: Int) -> MalformedFrame? {
        do {
            _ = try FrameHeader(decoding: bytes, bodyLength: bodyLength)
            return nil
        } catch {
            return error
        }
    }

    private func altered(_ header: FrameHeader, at index: Int, to byte: UInt8) -> [UInt8] {
        var bytes = header.encode()
        bytes[index] = byte
        return bytes
    }

    @Test("a header shorter than 32 bytes is too short, whatever it holds", arguments: 0..<32)
    func tooShort(count: Int) {
        #expect(failure(of: Array(call.encode().prefix(count)), bodyLength: 10) == .tooShort(byteCount: count))
    }

    @Test("each byte of the magic counts", arguments: 0..<3)
    func badMagic(index: Int) {
        #expect(failure(of: altered(call, at: index, to: 0x20), bodyLength: 10) == .badMagic)
    }

    @Test("another major version is told apart, before anything behind it is looked at", arguments: [0, 2, 255])
    func unsupportedVersion(major: UInt8) {
        var bytes = altered(call, at: 3, to: major)
        for index in 4..<32 { bytes[index] = 0xFF }
        let failure = failure(of: bytes, bodyLength: 10)
        #expect(failure == .unsupportedVersion(major: major))
        #expect(failure?.status.code == .unimplemented)
        #expect(failure?.status.reason == .unsupportedVersion)
    }

    @Test("a higher minor version is read all the same")
    func higherMinorVersion() throws {
        #expect(try FrameHeader(decoding: altered(call, at: 4, to: 9), bodyLength: 10) == call)
    }

    @Test("unknown kinds are refused", arguments: [0, 7, 13, 255])
    func unknownKind(kind: UInt8) {
        #expect(failure(of: altered(call, at: 5, to: kind), bodyLength: 10) == .unknownKind(kind))
    }

    @Test("unknown methods are refused", arguments: [6, 15, 50, 255])
    func unknownMethod(method: UInt8) {
        #expect(failure(of: altered(call, at: 6, to: method), bodyLength: 10) == .unknownMethod(UInt16(method)))
        #expect(failure(of: altered(call, at: 7, to: 1), bodyLength: 10) == .unknownMethod(0x0101))
    }

    @Test("reserved bytes must be zero", arguments: 28..<32)
    func reservedBytes(index: Int) {
        #expect(failure(of: altered(call, at: index, to: 1), bodyLength: 10) == .reservedBytesNotZero)
    }

    @Test("the declared length must be the body's", arguments: [-1, 0, 9, 11, 1 << 40])
    func bodyLength(actual: Int) {
        #expect(failure(of: call.encode(), bodyLength: actual) == .bodyLengthMismatch(declared: 10, actual: actual))
    }

    @Test("session frames belong to no stream and no method")
    func streamOnSessionFrame() {
        #expect(failure(of: altered(ping, at: 16, to: 1), bodyLength: 0) == .streamOnSessionFrame(.ping))
        #expect(failure(of: altered(ping, at: 6, to: 1), bodyLength: 0) == .streamOnSessionFrame(.ping))
    }

    @Test("stream frames need a stream and a method")
    func streamMissing() {
        #expect(failure(of: altered(call, at: 16, to: 0), bodyLength: 10) == .streamMissing(.call))
        #expect(failure(of: altered(call, at: 6, to: 0), bodyLength: 10) == .streamMissing(.call))
    }

    @Test("malformed frames are answered with a protocol violation")
    func status() {
        #expect(MalformedFrame.badMagic.status.code == .invalidArgument)
        #expect(MalformedFrame.badMagic.status.reason == .protocolViolation)
    }

    @Test("a header is written in place, and nothing behind it")
    func writeInPlace() {
        var bytes = [UInt8](repeating: 0xAA, count: 40)
        bytes.withUnsafeMutableBytes { call.write(to: $0) }
        #expect(Array(bytes.prefix(32)) == call.encode())
        #expect(bytes.suffix(8).allSatisfy { $0 == 0xAA })
    }
}
