package import ServingModel

/// What a gateway is told: where it listens, what it assumes and what it puts up with.
package struct GatewayConfiguration: Hashable, Sendable {
    /// A name or an address of this machine.
    package var host: String
    /// 0 lets the system choose; `GatewayService` reports what it chose.
    package var port: Int
    /// Used where a request names no model; empty for the only model served.
    package var defaultModel = ""
    /// Output tokens at most, where a request does not say.
    package var defaultMaxTokens = 256
    /// OpenAI's default where a request gives no temperature.
    package var defaultTemperature = 1.0
    /// Bytes that a request's body may have; beyond that it is refused with 413.
    package var maximumBodyBytes = 8 << 20
    /// Connections open at once; more wait in the kernel's backlog.
    package var maximumConnections = 16_384
    /// A connection that sends nothing for this long, between requests or within one, is closed.
    package var idleTimeout = Interval.seconds(75)
    /// A client of a stream that takes nothing for this long, though there is something to take, is given up.
    package var stalledReaderTimeout = Interval.seconds(30)
    /// How long answers under way may go on once shutdown has begun; then they end with an error.
    package var shutdownGrace = Interval.seconds(3)
    /// How long those errors may take to reach their clients before connections are cut.
    package var shutdownCutoff = Interval.seconds(2)

    package init(host: String = "127.0.0.1", port: Int = 8080) {
        self.host = host
        self.port = port
    }

    /// `host:port`, with brackets around an IPv6 address.
    package var address: String { Self.address(host: host, port: port) }

    package static func address(host: String, port: Int) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
