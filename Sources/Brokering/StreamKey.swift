/// A session as the broker numbers it, never reused while it runs.
package struct SessionID: Hashable, Comparable, Sendable {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: SessionID, right: SessionID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One call of one client: where a query's events go.
package struct StreamKey: Hashable, Sendable {
    package var session: SessionID
    package var stream: UInt64

    package init(session: SessionID, stream: UInt64) {
        self.session = session
        self.stream = stream
    }
}
