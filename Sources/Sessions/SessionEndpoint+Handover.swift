internal import Messages
internal import ZeroMQ

/// Frames for peers of the same process, which have no bytes.
extension SessionEndpoint {
    /// Frames that wait for the end of the round at most.
    private static let mostCollected = 4096

    /// Adds a frame to what its session is to be handed at the end of the round.
    ///
    /// - Returns: false for a session with a peer elsewhere.
    func collect(
        _ kind: FrameKind,
        method: Method,
        stream: UInt64,
        to session: UInt64,
        _ body: () -> FrameBody
    ) -> Bool {
        guard !handovers.isEmpty, let index = handovers.index(forKey: session) else { return false }
        if handovers.values[index].isEmpty { filledBundles.append(session) }
        handovers.values[index].append(
            HandedFrame(kind, method: method, session: session, stream: stream, body())
        )
        if handovers.values[index].count >= Self.mostCollected { flushHandover(of: session) }
        return true
    }

    func flushHandover(of session: UInt64) {
        guard let frames = handovers.updateValue([], forKey: session), !frames.isEmpty,
            let route = table.route(of: session)
        else { return }
        if !hand(frames, to: session, at: route) { end(session, "it does not read what it is sent") }
    }

    /// - Returns: false if the peer's outbox is full.
    func hand(_ frames: [HandedFrame], to session: UInt64, at route: RoutingID) -> Bool {
        if outboxes.isEmpty || outboxes[session] == nil {
            switch socket.hand(HandedFrames(frames), to: route) {
            case .sent:
                return true
            case .unreachable, nil:
                end(session, "its connection is gone")
                return true
            case .wouldBlock:
                outboxes[session] = Outbox(maximumBytes: configuration.outboxBytes)
            }
        }
        return frames.allSatisfy { frame in
            // A heartbeat that has to wait says nothing.
            if frame.header.kind == .ping || frame.header.kind == .pong { return true }
            return outboxes[session]?.append(Outbox.Frame(frame)) ?? true
        }
    }
}
