/// The name a router gives to one connection of a peer.
///
/// Always one that libzmq made up, never one the peer chose. It is valid for that connection only: a peer that
/// reconnects has another, and after a restart the same value can mean someone else. So keep it in memory, next to the
/// session, and put it neither in messages nor in logs that a client can read; its `description` hides it.
package struct RoutingID: Hashable, Sendable, CustomStringConvertible {
    /// libzmq's counter, or one of our own.
    private let value: UInt32
    /// Whether it names a socket of the same process, of which libzmq knows nothing.
    package let isInside: Bool

    package init(_ value: UInt32) {
        self.value = value
        isInside = false
    }

    init(inside value: UInt32) {
        self.value = value
        isInside = true
    }

    /// Of a socket of another thread: never the same as one of the router's own thread.
    init(acrossThreads value: UInt32) {
        self.init(inside: value | 1 << 31)
    }

    /// The id in a router's first frame, or nil if the peer chose it.
    ///
    /// libzmq's own ids are a zero byte and a 32-bit counter, big-endian.
    init?(frame: UnsafeRawBufferPointer) {
        guard frame.count == 5, frame[0] == 0 else { return nil }
        isInside = false
        value = UInt32(bigEndian: frame.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
    }

    package var description: String { "RoutingID(hidden)" }

    /// Calls `body` with the frame that addresses this peer.
    func withFrame<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let bytes = value.bigEndian
        return withUnsafeTemporaryAllocation(byteCount: 5, alignment: 1) { frame in
            frame[0] = 0
            frame.storeBytes(of: bytes, toByteOffset: 1, as: UInt32.self)
            return body(UnsafeRawBufferPointer(frame))
        }
    }
}
