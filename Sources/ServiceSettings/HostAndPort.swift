/// Where something listens, from `HOST:PORT`; an IPv6 address stands in brackets.
package struct HostAndPort: Hashable, Sendable {
    package var host: String
    package var port: Int

    /// Nil if the text is anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = port
    }
}
