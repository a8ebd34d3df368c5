internal import Messages

/// A frame for a peer of the same process: neither its header nor, mostly, its body is bytes.
struct HandedFrame: Sendable {
    let header: FrameHeader
    let body: FrameBody

    init(_ kind: FrameKind, method: Method, session: UInt64, stream: UInt64, _ body: FrameBody) {
        header = FrameHeader(kind: kind, method: method, session: session, stream: stream, bodyLength: 0)
        self.body = body
    }
}

/// What is handed over at once: to the broker's peers all that a round has for them, as in a bundle.
final class HandedFrames: Sendable {
    private enum Content {
        case one(HandedFrame)
        case several([HandedFrame])
    }

    private let content: Content

    init(_ frame: HandedFrame) {
        content = .one(frame)
    }

    init(_ frames: [HandedFrame]) {
        content = .several(frames)
    }

    func each(_ body: (HandedFrame) -> Void) {
        switch content {
        case .one(let frame): body(frame)
        case .several(let frames): for frame in frames { body(frame) }
        }
    }
}

extension Outbox.Frame {
    /// A frame that could not be handed over waits as the bytes that it would have been.
    init(_ frame: HandedFrame) {
        var header = frame.header
        let body = frame.body.bytes
        header.bodyLength = UInt32(clamping: body.count)
        self.init(header: header.encode(), body: body)
    }
}
