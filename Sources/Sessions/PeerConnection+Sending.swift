package import Messages
internal import ZeroMQ

extension PeerConnection {
    /// Sends a frame of the open session, or keeps it until there is room.
    ///
    /// - Returns: false if there is no session or too much waits already; the frame is dropped then.
    @discardableResult
    package func send(_ kind: FrameKind, method: Method, stream: UInt64, body: [UInt8] = []) -> Bool {
        send(kind, method: method, stream: stream, .bytes(body))
    }

    /// The same for a message, which a broker of the same process gets as it is.
    @discardableResult
    package func send(_ kind: FrameKind, method: Method, stream: UInt64, _ message: some WireMessage) -> Bool {
        let isValue = current?.socket.isInside == true && outbox.isEmpty && message.travelsAsValue
        return send(kind, method: method, stream: stream, isValue ? .message(message) : .bytes(message.encode()))
    }

    private func send(_ kind: FrameKind, method: Method, stream: UInt64, _ body: FrameBody) -> Bool {
        guard case .open(let session, _, _) = state, let socket = current?.socket else { return false }
        lastSent = PollLoop.now()
        guard !socket.isInside else {
            let frame = HandedFrame(kind, method: method, session: session, stream: stream, body)
            if outbox.isEmpty, case .sent = socket.hand(HandedFrames(frame), to: nil) { return true }
            return outbox.append(Outbox.Frame(frame))
        }
        let body = body.bytes
        let header = FrameHeader(kind: kind, method: method, session: session, stream: stream, bodyLength: body.count)
        if outbox.isEmpty, case .sent = socket.send([header.encode(), body], to: nil) { return true }
        return outbox.append(Outbox.Frame(header: header.encode(), body: body))
    }

    /// - Returns: whether everything could be sent.
    func flush() -> Bool {
        while let frame = outbox.first {
            guard case .sent? = current?.socket.send([frame.header, frame.body], to: nil) else { return false }
            outbox.removeFirst()
        }
        return true
    }
}
