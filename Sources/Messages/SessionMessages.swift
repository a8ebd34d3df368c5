package import ServingModel

/// The first frame of a session.
package struct Hello: Hashable, Sendable {
    package var software: String
    package var name: String
    /// Whether it understands `FrameKind.bundle`.
    package var takesBundles: Bool

    package init(software: String, name: String, takesBundles: Bool = false) {
        self.software = software
        self.name = name
        self.takesBundles = takesBundles
    }
}

/// The broker's answer to `Hello`.
package struct Welcome: Hashable, Sendable {
    package var session: UInt64
    package var broker: String
    package var heartbeatInterval: Interval
    package var sessionTimeout: Interval
    package var limits: SessionLimits

    package init(
        session: UInt64,
        broker: String,
        heartbeatInterval: Interval,
        sessionTimeout: Interval,
        limits: SessionLimits
    ) {
        self.session = session
        self.broker = broker
        self.heartbeatInterval = heartbeatInterval
        self.sessionTimeout = sessionTimeout
        self.limits = limits
    }
}

/// What a peer may send in one session.
package struct SessionLimits: Hashable, Sendable {
    package var bodyBytes = 4 << 20
    package var openCalls = 1024
    package var metadataEntries = 64
    package var metadataBytes = 8192
    package var maxTokens = 131_072

    package init() {}
}
