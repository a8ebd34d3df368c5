internal import CZeroMQ
internal import Glibc

/// The sockets that one loop watches.
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

    /// The watches when the items were made, in their order.
    private var polled: [Watch] = []
    /// Those that libzmq has no part in, as they are connected to a socket of their own thread.
    private var inside: [Watch] = []

    /// Whether the items are to be made anew.
    private(set) var isStale = true

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

    /// How many items it has in the poll.
    var count: Int { polled.count }

    /// Whether something has come to a socket from another of the same thread.
    var hasArrivals: Bool {
        polled.contains { !$0.socket.arrivals.isEmpty } || inside.contains { !$0.socket.arrivals.isEmpty }
    }

    /// Whether a socket was closed that is still in the poll.
    var hasClosedSockets: Bool { watches.contains { $0.socket.isClosed } }

    /// Adds an item for each socket.
    func rebuild(into items: inout [zmq_pollitem_t]) {
        watches.removeAll { $0.socket.isClosed }
        polled = watches.filter { $0.socket.circuit == nil }
        inside = watches.filter { $0.socket.circuit != nil }
        for watch in polled {
            items.append(zmq_pollitem_t(socket: watch.socket.open(), fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        isStale = false
    }

    /// Calls the handlers of the sockets that the poll found readable.
    func callHandlers(_ items: UnsafeBufferPointer<zmq_pollitem_t>) {
        // A handler may change these through a rebuild only in the next round.
        for (index, watch) in polled.enumerated()
        where items[index].revents & Int16(ZMQ_POLLIN) != 0 || !watch.socket.arrivals.isEmpty {
            if watch.isActive, !watch.socket.isClosed { watch.onReadable() }
        }
        for watch in inside where !watch.socket.arrivals.isEmpty {
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
        isStale = true
    }
}
