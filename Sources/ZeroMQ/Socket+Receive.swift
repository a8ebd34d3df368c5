internal import CZeroMQ
internal import DequeModule
internal import Glibc
package import ServingModel

extension Socket {
    /// Foreign messages dropped in one call of `receive()` before it returns.
    private static let maximumForeignPerCall = 64

    /// The next message, or nil when none is there.
    ///
    /// Never blocks. A router drops and counts (`foreignMessages`) what comes from peers with a routing id of their own
    /// choice; after many of those in a row it returns nil early, and polling finds the socket still readable.
    package func receive() -> Incoming? {
        let socket = open()
        if let message = nextArrival() {
            isFromInside = true
            return message
        }
        // Behind those of its own process a socket that is settled has no others.
        let isDone = isFromInside && !isUnsettled
        isFromInside = false
        guard circuit == nil, !isDone else { return nil }
        var dropped = 0
        while dropped < Self.maximumForeignPerCall {
            guard pull(socket) else { return nil }
            guard kind == .router else { return collect(from: nil, beginning: true, on: socket) }
            guard let peer = RoutingID(frame: content) else {
                discardRest(of: socket)
                countForeignMessage()
                dropped += 1
                continue
            }
            return collect(from: peer, beginning: false, on: socket)
        }
        return nil
    }

    /// Blocks the calling thread until there is something to receive, for `limit` at most; says whether there is.
    ///
    /// For tests and command-line tools with a thread of their own; in the product a `PollLoop` does the waiting. False
    /// also when the context has ended.
    package func waitUntilReadable(atMost limit: Interval) -> Bool {
        var item = zmq_pollitem_t(socket: open(), fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        let end = PollLoop.now() + limit
        while true {
            let ready = zmq_poll(&item, 1, Int((end - PollLoop.now()).wholeMilliseconds))
            guard ready < 0, zmq_errno() == EINTR else { return ready > 0 }
        }
    }

    /// The rest of a message; `beginning` says that its first frame has been pulled already.
    private func collect(from peer: RoutingID?, beginning: Bool, on socket: UnsafeMutableRawPointer) -> Incoming {
        var message = Incoming(from: peer, frames: [])
        if beginning { message.frames.append([UInt8](content)) }
        while hasMore, pull(socket) {
            // libzmq 4.3.4 loses the metadata of the frame with the id, so it is read from the first one after it.
            if knowsUsers, message.user == nil { message.user = user }
            if message.frames.count < Incoming.maximumFrames {
                message.frames.append([UInt8](content))
            } else {
                message.excessFrames += 1
                message.excessBytes += content.count
            }
        }
        return message
    }

    private func discardRest(of socket: UnsafeMutableRawPointer) {
        while hasMore, pull(socket) {}
    }

    /// Moves the next frame into `frame`; false when none is there or the context has ended.
    private func pull(_ socket: UnsafeMutableRawPointer) -> Bool {
        isUnsettled = true
        while zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0 {
            let code = zmq_errno()
            switch code {
            case EINTR: continue
            case EAGAIN, terminatedCode: return false
            default: fatalError("zmq_msg_recv: \(ZeroMQError(operation: "receive", code: code))")
            }
        }
        return true
    }

    /// The bytes of `frame`, valid until the next pull.
    private var content: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(frame), count: zmq_msg_size(frame))
    }

    /// The name that the key checker gave to the sender of `frame`.
    private var user: String? {
        zmq_msg_gets(frame, "User-Id").map { String(cString: $0) }
    }

    /// The descriptor of the connection that `frame` came from.
    var latestDescriptor: CInt? {
        guard !isFromInside else { return nil }
        let descriptor = zmq_msg_get(frame, ZMQ_SRCFD)
        return descriptor >= 0 ? descriptor : nil
    }

    private var hasMore: Bool { zmq_msg_more(frame) != 0 }
}
