internal import CZeroMQ
internal import Glibc

extension Socket {
    /// Sends one message of `frames`, whole or not at all, without blocking.
    ///
    /// A router needs `peer`, other kinds must not have it. Should the connection break while the frames are being
    /// queued, a router still says `sent`.
    package func send(_ frames: [[UInt8]], to peer: RoutingID?) -> SendOutcome {
        precondition(!frames.isEmpty, "a message has at least one frame")
        let socket = open()
        if let circuit = circuit(to: peer) { return circuit.send(frames, from: self) }
        guard peer?.isInside != true else { return .unreachable }
        var outcome = begin(peer, on: socket)
        guard outcome == .sent else { return outcome }
        for (index, frame) in frames.enumerated() {
            let isLast = index == frames.count - 1
            let queued = frame.withUnsafeBytes { push($0, more: !isLast, on: socket) }
            guard queued != .sent else { continue }
            // Refused at its first frame, a message is not begun. Refused later (the connection broke in between) it is
            // taken back, and libzmq waits for its last frame, so the rest must still be offered: it is dropped.
            guard index > 0 else { return queued }
            outcome = queued
        }
        return outcome
    }

    /// Sends one message of a header and a body, whole or not at all, without blocking.
    ///
    /// The same as `send(_:to:)`, without an array of frames. Both are copied, unless it goes to a socket of this process.
    package func send(header: UnsafeRawBufferPointer, body: [UInt8], to peer: RoutingID?) -> SendOutcome {
        let socket = open()
        if let circuit = circuit(to: peer) { return circuit.send([[UInt8](header), body], from: self) }
        guard peer?.isInside != true else { return .unreachable }
        let begun = begin(peer, on: socket)
        guard begun == .sent else { return begun }
        let first = push(header, more: true, on: socket)
        guard first == .sent else { return first }
        return body.withUnsafeBytes { push($0, more: false, on: socket) }
    }

    /// Sends one message of two frames that lie one behind the other, whole or not at all, without blocking.
    ///
    /// - Parameter division: where the second begins.
    package func send(_ bytes: [UInt8], dividedAt division: Int, to peer: RoutingID?) -> SendOutcome {
        let socket = open()
        if let circuit = circuit(to: peer) {
            return circuit.send([Array(bytes[..<division]), Array(bytes[division...])], from: self)
        }
        guard peer?.isInside != true else { return .unreachable }
        let begun = begin(peer, on: socket)
        guard begun == .sent else { return begun }
        return bytes.withUnsafeBytes { bytes in
            let first = push(UnsafeRawBufferPointer(rebasing: bytes[..<division]), more: true, on: socket)
            guard first == .sent else { return first }
            return push(UnsafeRawBufferPointer(rebasing: bytes[division...]), more: false, on: socket)
        }
    }

    /// Hands an object to a peer of this process, in place of a message and in turn with them.
    ///
    /// - Returns: nil for a peer that is elsewhere: it has to be sent frames.
    package func hand(_ object: any AnyObject & Sendable, to peer: RoutingID?) -> SendOutcome? {
        _ = open()
        if let circuit = circuit(to: peer) { return circuit.hand(object, from: self) }
        return peer?.isInside == true ? .unreachable : nil
    }

    /// The way to a peer of this process; nil for all others.
    private func circuit(to peer: RoutingID?) -> Circuit? {
        guard let peer else { return circuit }
        return peer.isInside ? circuits[peer] : nil
    }

    /// Queues the frame that names a router's peer; unless `sent`, the message is not begun.
    private func begin(_ peer: RoutingID?, on socket: UnsafeMutableRawPointer) -> SendOutcome {
        precondition((peer != nil) == (kind == .router), "routers address a peer, others do not")
        return peer?.withFrame { push($0, more: true, on: socket) } ?? .sent
    }

    private func push(_ bytes: UnsafeRawBufferPointer, more: Bool, on socket: UnsafeMutableRawPointer) -> SendOutcome {
        isUnsettled = true
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        while zmq_send(socket, bytes.baseAddress, bytes.count, flags) < 0 {
            let code = zmq_errno()
            switch code {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EHOSTUNREACH, terminatedCode: return .unreachable
            default: fatalError("zmq_send: \(ZeroMQError(operation: "send", code: code))")
            }
        }
        return .sent
    }
}
