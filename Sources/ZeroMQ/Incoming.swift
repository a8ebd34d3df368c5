/// One message as it was received.
package struct Incoming: Sendable {
    /// Frames kept of a message; the protocol knows a header and a body.
    package static let maximumFrames = 2

    /// The peer it came from; nil unless a router received it.
    package var from: RoutingID?

    /// Who sent it, as the `ZAPHandler` named the owner of the key; nil unless a secured socket received it.
    package var user: String?

    /// The first frames, `maximumFrames` at most; empty if a router's peer sent nothing after the id.
    package var frames: [[UInt8]]

    /// What a socket of the same process has handed over instead of frames, of which there are none then.
    package private(set) var handed: (any AnyObject & Sendable)?

    /// Frames beyond `maximumFrames`, read and thrown away; such a message breaks the protocol.
    package var excessFrames: Int

    /// Bytes in the frames thrown away.
    package var excessBytes: Int

    package init(
        from: RoutingID? = nil,
        user: String? = nil,
        frames: [[UInt8]],
        excessFrames: Int = 0,
        excessBytes: Int = 0
    ) {
        self.from = from
        self.user = user
        self.frames = frames
        self.excessFrames = excessFrames
        self.excessBytes = excessBytes
    }

    init(from: RoutingID?, handed: any AnyObject & Sendable) {
        self.init(from: from, frames: [])
        self.handed = handed
    }
}

/// What became of a message given to `Socket.send`.
package enum SendOutcome: Sendable, Hashable, CaseIterable {
    /// In libzmq's queue; that promises nothing about its arrival.
    case sent

    /// Nothing was sent: the peer's queue is full, or (dealer) there is no connection now. Try again later.
    case wouldBlock

    /// Nothing was sent: the peer's connection is gone for good (routers), or the context has ended.
    case unreachable
}
