import CZeroMQ

/// A dealer on bare libzmq, free to do what our own sockets don't.
final class RawPeer {
    private let context: UnsafeMutableRawPointer?
    private let socket: UnsafeMutableRawPointer?

    init(connectingTo endpoint: String, routingID: [UInt8]? = nil) {
        context = zmq_ctx_new()
        socket = zmq_socket(context, ZMQ_DEALER)
        var linger: Int32 = 0
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, MemoryLayout<Int32>.size)
        if let routingID {
            precondition(zmq_setsockopt(socket, ZMQ_ROUTING_ID, routingID, routingID.count) == 0)
        }
        precondition(zmq_connect(socket, endpoint) == 0)
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
    }

    /// Sends one message, blocking.
    func send(_ frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            let flags = index < frames.count - 1 ? ZMQ_SNDMORE : 0
            precondition(zmq_send(socket, frame, frame.count, flags) == frame.count)
        }
    }
}
