internal import ServingModel

/// A session as the broker numbers it, never reused while it runs.
package struct SessionID: SerialNumber {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A call among those of its session.
struct OpenStream: SerialNumber {
    let rawValue: UInt64

    init(_ key: StreamKey) {
        rawValue = key.stream
    }

    func key(in session: SessionID) -> StreamKey { StreamKey(session: session, stream: rawValue) }
}

/// One call of one client: where a query's events go.
package struct StreamKey: Hashable, Sendable {
    package var session: SessionID
    package var stream: UInt64

    package init(session: SessionID, stream: UInt64) {
        self.session = session
        self.stream = stream
    }

    /// Of two numbers that count up, the one for all clients and the other for each.
    package func _rawHashValue(seed: Int) -> Int {
        QuickHash.spread(stream, seed: QuickHash.spread(session.rawValue, seed: seed))
    }
}
