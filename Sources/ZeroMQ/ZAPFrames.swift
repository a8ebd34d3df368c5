internal import CZeroMQ

/// Whole messages between libzmq and the ZAP handler: seven frames one way, six the other.
enum ZAPFrames {
    /// More than any version of ZAP has.
    private static let maximumFrames = 16

    /// The next message, without waiting; nil with `zmq_errno` if there is none.
    static func receive(from socket: UnsafeMutableRawPointer) -> [[UInt8]]? {
        var frames: [[UInt8]] = []
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        repeat {
            guard zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0 else { return nil }
            guard frames.count < maximumFrames else { continue }
            frames.append([UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))))
        } while zmq_msg_more(&message) != 0
        return frames
    }

    /// - Returns: false with `zmq_errno` if libzmq refuses.
    static func send(_ frames: [[UInt8]], on socket: UnsafeMutableRawPointer) -> Bool {
        for (index, frame) in frames.enumerated() {
            let flags = ZMQ_DONTWAIT | (index < frames.count - 1 ? ZMQ_SNDMORE : 0)
            guard zmq_send(socket, frame, frame.count, flags) >= 0 else { return false }
        }
        return true
    }
}
