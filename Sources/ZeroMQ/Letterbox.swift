internal import Synchronization

/// Where other threads of the process leave messages for a socket.
///
/// It belongs to a socket of a `LoopThread`, which is woken if it sleeps. All members may be called from any thread.
final class Letterbox: Sendable {
    enum Letter: Sendable {
        case message(Incoming)
        /// From a dealer to which there is a way from now on.
        case opened(Bridge)
        case closed(RoutingID)
    }

    private struct Contents {
        var letters: [Letter] = []
        var isOpen = true
    }

    private let contents = Mutex(Contents())
    private let mayBeFilled = Atomic(false)
    private let names = Atomic<UInt32>(0)
    private let thread: LoopThread

    init(of thread: LoopThread) {
        self.thread = thread
    }

    /// Leaves a message, unless there are too many already.
    ///
    /// - Returns: nil once the socket is closed.
    func leave(_ message: Incoming) -> SendOutcome? {
        leave(.message(message), atMost: ShortCircuit.capacity)
    }

    /// Leaves word of a connection's beginning or end, for which there is always room.
    func tell(_ news: Letter) {
        _ = leave(news, atMost: .max)
    }

    private func leave(_ letter: Letter, atMost capacity: Int) -> SendOutcome? {
        let outcome: SendOutcome? = contents.withLock { contents in
            guard contents.isOpen else { return nil }
            guard contents.letters.count < capacity else { return .wouldBlock }
            contents.letters.append(letter)
            return .sent
        }
        if outcome == .sent {
            mayBeFilled.store(true, ordering: .releasing)
            thread.nudge()
        }
        return outcome
    }

    /// Whether there is something to take; what is left while this is asked wakes the thread.
    var isFilled: Bool { mayBeFilled.load(ordering: .acquiring) }

    /// All that is there.
    func take() -> [Letter] {
        mayBeFilled.store(false, ordering: .sequentiallyConsistent)
        return contents.withLock { contents in
            var taken: [Letter] = []
            swap(&taken, &contents.letters)
            return taken
        }
    }

    /// A name for a dealer that no other has had.
    func nextName() -> RoutingID {
        RoutingID(acrossThreads: names.add(1, ordering: .relaxed).newValue)
    }

    /// Nothing is taken any more.
    func close() {
        // Letters are let go of outside the lock: they may hold the last reference to anything.
        _ = contents.withLock { contents in
            contents.isOpen = false
            var left: [Letter] = []
            swap(&left, &contents.letters)
            return left
        }
    }
}

/// A connection between two sockets of different threads of this process, which libzmq has no part in.
///
/// Frames, or objects, are handed over as they are, through the letterbox of the socket that they are for. It is what
/// becomes of an `inproc` connection whose sockets belong to loops of two threads.
final class Bridge: Sendable {
    let router: Letterbox
    let dealer: Letterbox
    /// The name of the dealer at the router.
    let id: RoutingID

    init(router: Letterbox, dealer: Letterbox) {
        self.router = router
        self.dealer = dealer
        id = router.nextName()
        router.tell(.opened(self))
    }

    /// Leaves a message for the other end than that of `sender`.
    func deliver(from sender: Socket, _ message: (RoutingID?) -> Incoming) -> SendOutcome {
        sender.kind == .router
            ? dealer.leave(message(nil)) ?? .unreachable
            : router.leave(message(id)) ?? .wouldBlock
    }
}
