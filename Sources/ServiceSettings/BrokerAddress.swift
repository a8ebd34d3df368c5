/// Where a broker is, in one word: its machine, with its usual ports or the first of four others, or a directory.
package struct BrokerAddress: Hashable, Sendable {
    /// What the broker listens for, in the order of its ports.
    package enum Endpoint: Int, Hashable, Sendable, CaseIterable {
        case frontend
        case worker
        case scheduler
        case admin
    }

    static let expectation =
        "HOST, HOST:PORT with the first of four ports, or ipc:///DIRECTORY; several with a comma between"
    private static let usualPort = 5550

    private enum Place: Hashable {
        case machine(host: String, port: Int)
        case directory(String)
    }

    private let place: Place

    /// Nil if the text is no address.
    package init?(_ text: String) {
        if text.hasPrefix("ipc://") {
            let directory = text.dropFirst("ipc://".count)
            guard directory.hasPrefix("/"), !directory.contains(where: \.isWhitespace) else { return nil }
            place = .directory(String(directory))
            return
        }
        guard !text.contains(where: { $0.isWhitespace || "/@".contains($0) }) else { return nil }
        guard text.contains(":") else {
            guard !text.isEmpty else { return nil }
            place = .machine(host: text, port: Self.usualPort)
            return
        }
        let last = Endpoint.allCases.count - 1
        guard let address = HostAndPort(text), !address.host.contains(":"), (1...65_535 - last).contains(address.port)
        else { return nil }
        place = .machine(host: address.host, port: address.port)
    }

    /// Several with a comma between; nil unless each is right.
    package static func list(_ text: String) -> [BrokerAddress]? {
        let addresses = text.split(separator: ",", omittingEmptySubsequences: false).map { BrokerAddress(String($0)) }
        return addresses.contains(nil) ? nil : addresses.compactMap { $0 }
    }

    /// As ZeroMQ takes it.
    package func endpoint(_ endpoint: Endpoint) -> String {
        switch place {
        case .machine(let host, let port): "tcp://\(host):\(port + endpoint.rawValue)"
        case .directory(let path): "ipc://\(path)/\(endpoint)"
        }
    }
}
