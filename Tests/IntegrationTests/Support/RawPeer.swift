internal import CZeroMQ
internal import Foundation
internal import Messages
internal import ServingModel

/// A dealer on bare libzmq that can break every rule of the protocol.
///
/// Its calls block, so they belong into `blocking`; one at a time.
final class RawPeer: @unchecked Sendable {
    struct Silence: Error {}

    /// How long it waits for a frame, heartbeats or not.
    private static let patience = Duration.seconds(60)

    private let context: UnsafeMutableRawPointer?
    private let socket: UnsafeMutableRawPointer?
    private var session: UInt64 = 0

    init(_ endpoint: String, routingID: [UInt8]? = nil, receiveHighWaterMark: Int32? = nil) {
        context = zmq_ctx_new()
        socket = zmq_socket(context, ZMQ_DEALER)
        set(ZMQ_LINGER, 0)
        set(ZMQ_RCVTIMEO, 60_000)
        set(ZMQ_SNDTIMEO, 60_000)
        if let receiveHighWaterMark { set(ZMQ_RCVHWM, receiveHighWaterMark) }
        if receiveHighWaterMark != nil { set(ZMQ_RCVBUF, 4096) }
        if let routingID { zmq_setsockopt(socket, ZMQ_ROUTING_ID, routingID, routingID.count) }
        precondition(zmq_connect(socket, endpoint) == 0, "zmq_connect \(endpoint)")
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size)
    }

    func send(_ frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            _ = zmq_send(socket, frame, frame.count, index < frames.count - 1 ? ZMQ_SNDMORE : 0)
        }
    }

    func send(_ kind: FrameKind, _ method: Messages.Method = .unspecified, stream: UInt64 = 0, body: [UInt8] = []) {
        let header = FrameHeader(kind: kind, method: method, session: session, stream: stream, bodyLength: body.count)
        send([header.encode(), body])
    }

    /// The next frame that is no heartbeat.
    func receive() throws -> (header: FrameHeader, body: [UInt8]) {
        try receive(until: .now + Self.patience)
    }

    private func receive(until end: ContinuousClock.Instant) throws -> (header: FrameHeader, body: [UInt8]) {
        while .now < end {
            var frames: [[UInt8]] = []
            repeat { frames.append(try receiveFrame()) } while hasMore
            let header = try FrameHeader(decoding: frames[0], bodyLength: frames.count > 1 ? frames[1].count : 0)
            if header.kind == .ping {
                send(.pong)
                continue
            }
            if header.kind != .pong { return (header, frames.count > 1 ? frames[1] : []) }
        }
        throw Silence()
    }

    /// The status in the next frame, which must be of this kind.
    func receiveStatus(_ kind: FrameKind) throws -> Status {
        let (header, body) = try receive()
        guard header.kind == kind else { throw NeverHappened(description: "\(header.kind) came instead of \(kind)") }
        return try Status.decode(body)
    }

    @discardableResult
    func greet() throws -> Welcome {
        session = 0
        send(.hello, body: Hello(software: "test", name: "raw").encode())
        let (header, body) = try receive()
        guard header.kind == .welcome else {
            throw NeverHappened(description: "\(header.kind) came instead of welcome")
        }
        let welcome = try Welcome.decode(body)
        session = welcome.session
        return welcome
    }

    /// A new session on the same connection, whatever else still comes on it.
    func greetAnew() throws {
        session = 0
        send(.hello, body: Hello(software: "test", name: "raw").encode())
        let end = ContinuousClock.now + Self.patience
        while true {
            let (header, body) = try receive(until: end)
            guard header.kind == .welcome else { continue }
            session = try Welcome.decode(body).session
            return
        }
    }

    private func receiveFrame() throws -> [UInt8] {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard zmq_msg_recv(&message, socket, 0) >= 0 else { throw Silence() }
        return [UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))
    }

    private var hasMore: Bool {
        var more: Int32 = 0
        var size = MemoryLayout<Int32>.size
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size)
        return more != 0
    }
}
