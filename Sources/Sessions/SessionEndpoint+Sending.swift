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
        flushBundle(of: session)
        guard let route = table.route(of: session) else { return true }
        if route.isInside {
            let frame = HandedFrame(kind, method: method, session: session, stream: stream, .bytes(body))
            return hand([frame], to: session, at: route)
        }
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

    /// Bytes that wait for the end of the round at most.
    private static let bundleBytes = 128 << 10

    /// Adds a frame to its session's bundle.
    ///
    /// - Returns: false for a session that takes none.
    func bundle(
        _ kind: FrameKind,
        method: Method,
        stream: UInt64,
        to session: UInt64,
        _ write: (inout [UInt8]) -> Void
    ) -> Bool {
        guard let index = bundles.index(forKey: session) else { return false }
        if bundles.values[index].isEmpty { filledBundles.append(session) }
        bundles.values[index].append(kind: kind, method: method, session: session, stream: stream, write)
        if bundles.values[index].bytes.count >= Self.bundleBytes { flushBundle(of: session) }
        return true
    }

    /// Sends what was put into bundles; call it after the last frame of a round.
    package func flushBundles() {
        guard !filledBundles.isEmpty else { return }
        let sessions = filledBundles
        filledBundles.removeAll(keepingCapacity: true)
        for session in sessions { flushBundle(of: session) }
    }

    private func flushBundle(of session: UInt64) {
        if handovers[session]?.isEmpty == false { flushHandover(of: session) }
        guard let bundle = bundles[session]?.take(), !bundle.isEmpty else { return }
        if !transmit(bundle, to: session) { end(session, "it does not read what it is sent") }
    }

    private func transmit(_ bundle: FrameBundle, to session: UInt64) -> Bool {
        guard bundle.count > 1 else { return transmitAlone(bundle.bytes, to: session) }
        return transmit(.bundle, to: session, body: bundle.bytes)
    }

    /// A bundle of one frame is sent as that frame.
    private func transmitAlone(_ bytes: [UInt8], to session: UInt64) -> Bool {
        guard let route = table.route(of: session) else { return true }
        if outboxes.isEmpty || outboxes[session] == nil {
            switch socket.send(bytes, dividedAt: FrameHeader.byteCount, to: route) {
            case .sent:
                return true
            case .unreachable:
                end(session, "its connection is gone")
                return true
            case .wouldBlock:
                outboxes[session] = Outbox(maximumBytes: configuration.outboxBytes)
            }
        }
        let header = Array(bytes[..<FrameHeader.byteCount])
        let frame = Outbox.Frame(header: header, body: Array(bytes[FrameHeader.byteCount...]))
        return outboxes[session]?.append(frame) ?? true
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
