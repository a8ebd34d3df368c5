internal import Glibc

/// The sockets and descriptors that one loop watches.
///
/// Confined to the loop's thread. Handlers may add, remove and close sockets at will.
final class PollSet {
    private enum Source {
        case socket(Socket)
        case descriptor(CInt)
    }

    private final class Watch {
        let source: Source
        let onReadable: () -> Void
        var isActive = true

        init(_ source: Source, onReadable: @escaping () -> Void) {
            self.source = source
            self.onReadable = onReadable
        }

        /// Whether there is something to read, as far as is known.
        var isReadable = false

        var socket: Socket? {
            if case .socket(let socket) = source { socket } else { nil }
        }

        var hasArrivals: Bool { socket?.hasArrivals ?? false }
        var isClosed: Bool { socket?.isClosed ?? false }
        /// Whether libzmq has no part in it.
        var isInside: Bool { socket?.circuit != nil }
    }

    private var watches: [Watch] = []

    /// The watches when the items were made, in their order.
    private var polled: [Watch] = []
    /// Those that libzmq has no part in, as they are connected to a socket of their own process.
    private var inside: [Watch] = []

    /// Whether the items are to be made anew.
    private(set) var isStale = true

    func add(_ socket: Socket, onReadable: @escaping () -> Void) {
        remove(socket)
        watches.append(Watch(.socket(socket), onReadable: onReadable))
        isStale = true
    }

    func add(_ descriptor: CInt, onReadable: @escaping () -> Void) {
        watches.append(Watch(.descriptor(descriptor), onReadable: onReadable))
        isStale = true
    }

    func remove(_ socket: Socket) {
        for watch in watches where watch.socket === socket { watch.isActive = false }
        watches.removeAll { !$0.isActive }
        isStale = true
    }

    /// How many items it has in the poll.
    var count: Int { polled.count }

    /// Whether there is something for the handlers.
    ///
    /// Asked of every loop in every round: closures, unlike key paths, cost nothing here.
    var isReadable: Bool {
        polled.contains { $0.isReadable || $0.hasArrivals } || inside.contains { $0.hasArrivals }
    }

    /// Whether a socket was closed that is still in the poll.
    var hasClosedSockets: Bool { watches.contains { $0.isClosed } }

    /// Adds an item for each socket and descriptor.
    func rebuild(into items: inout [pollfd]) {
        watches.removeAll(where: \.isClosed)
        polled = watches.filter { !$0.isInside }
        inside = watches.filter(\.isInside)
        for watch in polled {
            switch watch.source {
            case .socket(let socket): items.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0))
            case .descriptor(let descriptor): items.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            }
        }
        isStale = false
    }

    /// Asks libzmq of those sockets whose descriptors need not tell of what is there.
    func settle() {
        for watch in polled where watch.socket?.isUnsettled == true { ask(watch) }
    }

    /// Takes in what the kernel said.
    func take(_ items: UnsafeBufferPointer<pollfd>) {
        for (index, watch) in polled.enumerated() where items[index].revents != 0 {
            ask(watch)
        }
    }

    private func ask(_ watch: Watch) {
        guard let socket = watch.socket else {
            watch.isReadable = true
            return
        }
        guard let isReadable = socket.settle() else {
            // Its context has ended.
            watch.isActive = false
            socket.close()
            isStale = true
            return
        }
        watch.isReadable = isReadable
    }

    /// Calls the handlers of what is readable.
    func callHandlers() {
        // A handler may change these through a rebuild only in the next round.
        for watch in polled where watch.isReadable || watch.hasArrivals {
            watch.isReadable = false
            if watch.isActive, !watch.isClosed { watch.onReadable() }
        }
        for watch in inside where watch.hasArrivals {
            if watch.isActive, !watch.isClosed { watch.onReadable() }
        }
    }

    /// Closes and forgets all sockets.
    func closeAll() {
        for watch in watches {
            watch.isActive = false
            watch.socket?.close()
        }
        watches = []
        isStale = true
    }
}
