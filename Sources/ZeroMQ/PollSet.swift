internal import CZeroMQ
internal import Glibc
internal import ServingModel

/// The sockets a loop watches, and the wait for them.
///
/// Confined to the loop's thread. Handlers may add, remove and close sockets at will.
final class PollSet {
    private final class Watch {
        let socket: Socket
        let onReadable: () -> Void
        var isActive = true

        init(socket: Socket, onReadable: @escaping () -> Void) {
            self.socket = socket
            self.onReadable = onReadable
        }
    }

    private var watches: [Watch] = []

    /// What `zmq_poll` fills in: the wake-up descriptor, then the sockets of `polled` in their order.
    private var items: [zmq_pollitem_t] = []
    private var polled: [Watch] = []
    private var isStale = true
    private let wakeUp: Int32

    init(wakeUp: Int32) {
        self.wakeUp = wakeUp
    }

    func add(_ socket: Socket, onReadable: @escaping () -> Void) {
        remove(socket)
        watches.append(Watch(socket: socket, onReadable: onReadable))
        isStale = true
    }

    func remove(_ socket: Socket) {
        for watch in watches where watch.socket === socket { watch.isActive = false }
        watches.removeAll { !$0.isActive }
        isStale = true
    }

    /// Sleeps until a socket is readable, the wake-up is signalled, or `due` is reached; says whether it is signalled.
    func wait(until due: Instant) -> Bool {
        if isStale || watches.contains(where: { $0.socket.isClosed }) { rebuild() }
        while zmq_poll(&items, Int32(items.count), Self.timeout(until: due)) < 0 {
            let code = zmq_errno()
            switch code {
            case EINTR: continue
            case terminatedCode: closeAll()
            default: fatalError("zmq_poll: \(ZeroMQError(operation: "poll", code: code))")
            }
        }
        return items[0].revents != 0
    }

    /// Calls the handlers of the sockets that the last wait found readable.
    func callHandlers() {
        for (item, watch) in zip(items.dropFirst(), polled) where item.revents & Int16(ZMQ_POLLIN) != 0 {
            if watch.isActive, !watch.socket.isClosed { watch.onReadable() }
        }
    }

    /// Closes and forgets all sockets.
    func closeAll() {
        for watch in watches {
            watch.isActive = false
            watch.socket.close()
        }
        watches = []
        rebuild()
    }

    private func rebuild() {
        watches.removeAll { $0.socket.isClosed }
        polled = watches
        items = [zmq_pollitem_t(socket: nil, fd: wakeUp, events: Int16(ZMQ_POLLIN), revents: 0)]
        for watch in polled {
            items.append(zmq_pollitem_t(socket: watch.socket.open(), fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        isStale = false
    }

    /// Milliseconds for `zmq_poll`, rounded up so as not to wake early and spin; -1 for no limit.
    private static func timeout(until due: Instant) -> Int {
        guard due < .distantFuture else { return -1 }
        return Int((due - PollLoop.now()).wholeMilliseconds)
    }
}
