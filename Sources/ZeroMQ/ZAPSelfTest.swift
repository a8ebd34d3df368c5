internal import CZeroMQ
internal import ServingModel

/// Asks the ZAP handler about a key that was made a moment ago, as libzmq would.
enum ZAPSelfTest {
    private static let patienceMilliseconds = 5000

    /// - Throws: `SecurityFailure` unless the answer is no.
    static func run(in context: Context) throws {
        let socket = try context.makeSocket(ZMQ_REQ)
        defer { zmq_close(socket) }
        var linger: Int32 = 0
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, MemoryLayout<Int32>.size)
        guard zmq_connect(socket, ZAPHandler.endpoint) == 0 else {
            throw ZeroMQError.last("connect", endpoint: ZAPHandler.endpoint)
        }
        let stranger = CurveKeyPair().publicKey.bytes
        let words = ["1.0", "self-test", "self-test", "", "", "CURVE"].map { Array($0.utf8) }
        guard ZAPFrames.send(words + [stranger], on: socket) else { throw ZeroMQError.last("self-test") }
        var item = zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        guard zmq_poll(&item, 1, patienceMilliseconds) > 0, let reply = ZAPFrames.receive(from: socket) else {
            throw SecurityFailure("the thread that checks keys does not answer")
        }
        guard reply.count == 6, reply[1] == words[1], reply[2] == Array("400".utf8) else {
            throw SecurityFailure("the thread that checks keys accepts a key that nobody has")
        }
    }
}

/// A safeguard that is not in place, so that the service must not start.
package struct SecurityFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
