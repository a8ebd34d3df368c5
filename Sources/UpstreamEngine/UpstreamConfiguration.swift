package import ServingModel

/// Which server, and what to believe of it beyond what it says itself.
package struct UpstreamConfiguration: Sendable {
    /// `http://HOST:PORT`, without `/v1` and without a slash at the end.
    package let url: String
    /// Sent as a bearer token; never printed.
    package var apiKey: String?
    /// Which of the server's models; nil takes the first that it lists.
    package var model: String?
    /// What clients call it; nil takes the server's own name.
    package var servedName: String?
    /// The longest time in which an answer may bring nothing.
    ///
    /// Below the two minutes after which the broker gives a silent worker up.
    package var patience = Interval.seconds(100)
    /// How often the server is asked how it does.
    package var pollInterval = Interval.seconds(1)

    // What is set here is believed before what the server says.
    package var contextLength: Int?
    package var maximumSequences: Int?
    package var kvCapacityTokens: Int?
    /// Whether the server keeps beginnings of prompts; nil for what its kind is known for.
    package var keepsPrefixes: Bool?
    /// Speed, and what neither flags nor the server say; nil starts from a guess.
    package var profile: LatencyProfile?

    /// Whether the server is spoken to over TLS.
    var isEncrypted: Bool { url.lowercased().hasPrefix("https://") }

    /// Nil for what is no `http` or `https` URL of a host.
    ///
    /// A path is kept (a server behind a proxy), but for a `/v1` at its end, which many write.
    package init?(url: String) {
        var base = url[...]
        while base.last == "/" { base.removeLast() }
        if base.hasSuffix("/v1") { base.removeLast(3) }
        while base.last == "/" { base.removeLast() }
        let scheme = ["http://", "https://"].first { base.lowercased().hasPrefix($0) }
        guard let scheme else { return nil }
        let rest = base.dropFirst(scheme.count)
        // A name and a password in the URL would end up in logs.
        guard let first = rest.first, first != "/", first != ":",
            base.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !rest.contains(where: { "@?#".contains($0) })
        else { return nil }
        self.url = String(base)
    }
}
