/// Which endpoints can be reached from this machine only.
package enum Exposure {
    /// False for whatever is not known to be local: other addresses, names and interfaces, `*`.
    package static func isLocal(_ endpoint: String) -> Bool {
        if endpoint.hasPrefix("ipc://") || endpoint.hasPrefix("inproc://") { return true }
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return false }
        return isLoopback(host: String(endpoint[..<colon].dropFirst("tcp://".count)))
    }

    /// Whether a host, as in a URL, is this machine and nothing else.
    package static func isLoopback(host: String) -> Bool {
        switch host.lowercased() {
        case "localhost", "::1", "[::1]", "lo": return true
        default:
            let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
            return numbers.count == 4 && numbers[0] == "127"
                && numbers.allSatisfy { $0.utf8.count <= 3 && UInt8($0) != nil && $0.first != "+" }
        }
    }
}
