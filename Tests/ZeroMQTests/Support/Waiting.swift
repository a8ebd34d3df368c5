import CZeroMQ
import ServingModel
import Testing
import ZeroMQ

/// How long a test waits for what must happen before it fails.
let bound = Interval.seconds(20)

/// Of the loopback network's sixteen million addresses one that nobody else takes between two binds to it.
func ownAddress() -> String {
    let host = (0..<3).map { _ in "\(UInt8.random(in: 1...254))" }.joined(separator: ".")
    return "tcp://127.\(host):*"
}

/// Tries `attempt` until it gives a value, a millisecond apart; nil once `bound` is over.
func eventually<Value>(_ attempt: () throws -> Value?) rethrows -> Value? {
    let end = PollLoop.now() + bound
    repeat {
        if let value = try attempt() { return value }
        zmq_poll(nil, 0, 1)
    } while PollLoop.now() < end
    return nil
}

/// Tries `condition` until it holds; false once `bound` is over.
func becomesTrue(_ condition: () throws -> Bool) rethrows -> Bool {
    try eventually { try condition() ? true : nil } ?? false
}

extension Socket {
    /// The next message, waited for.
    func next(
        within limit: Interval = bound,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Incoming {
        let end = PollLoop.now() + limit
        // Readable may mean a foreign message, which receive() drops.
        while waitUntilReadable(atMost: end - PollLoop.now()) {
            if let message = receive() { return message }
        }
        return try #require(nil as Incoming?, "no message came", sourceLocation: sourceLocation)
    }

    /// Sends, waiting while the queue is full or the connection not up.
    func sendWaiting(
        _ frames: [[UInt8]],
        to peer: RoutingID? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let isSent = becomesTrue { send(frames, to: peer) == .sent }
        #expect(isSent, "could not be sent", sourceLocation: sourceLocation)
    }
}

extension [UInt8] {
    init(_ text: String) {
        self = Array(text.utf8)
    }

    /// A 32-bit number, little-endian, followed by bytes that depend on it, `count` in all.
    init(numbered number: Int, count: Int) {
        self.init(repeating: UInt8(truncatingIfNeeded: number), count: count)
        for index in 0..<4 { self[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }

    /// The number given to `init(numbered:count:)`, or nil if a byte differs.
    var number: Int? {
        guard count >= 4 else { return nil }
        let number = (0..<4).reduce(0) { $0 | Int(self[$1]) << (8 * $1) }
        return self == Self(numbered: number, count: count) ? number : nil
    }
}
