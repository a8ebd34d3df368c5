internal import Messages
internal import ServingModel
internal import ZeroMQ

extension SessionEndpoint {
    /// - Returns: false if the peer's outbox is full.
    func transmit(
        _ kind: FrameKind,
        method: Method = .unspecified,
        stream: UInt64 = 0,
        to session: UInt64,
        body: [UInt8] = []
    ) -> Bool {
        guard let route = table.route(of: session) else { return true }
        let header = FrameHeader(
            kind: kind,
            method: method,
            session: session,
            stream: stream,
            bodyLength: body.count
        )
        if outboxes.isEmpty || outboxes[session] == nil {
            switch send(header, body, to: route) {
            case .sent:
                return true
            case .unreachable:
                end(session, "its connection is gone")
                return true
            case .wouldBlock:
                outboxes[session] = Outbox(maximumBytes: configuration.outboxBytes)
            }
        }
        // A heartbeat that has to wait says nothing.
        if kind == .ping || kind == .pong { return true }
        return outboxes[session]?.append(Outbox.Frame(header: header.encode(), body: body)) ?? true
    }

    private func send(_ header: FrameHeader, _ body: [UInt8], to route: RoutingID) -> SendOutcome {
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.byteCount, alignment: 8) { buffer in
            header.write(to: buffer)
            return socket.send(header: UnsafeRawBufferPointer(buffer), body: body, to: route)
        }
    }

    /// - Returns: whether everything could be sent.
    func flush(_ session: UInt64) -> Bool {
        guard let route = table[session]?.route else {
            outboxes[session] = nil
            return true
        }
        while let frame = outboxes[session]?.first {
            switch socket.send([frame.header, frame.body], to: route) {
            case .sent:
                outboxes[session]?.removeFirst()
            case .unreachable:
                end(session, "its connection is gone")
                return true
            case .wouldBlock:
                return false
            }
        }
        outboxes[session] = nil
        return true
    }
}
