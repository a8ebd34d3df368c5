/// Shards and where their brokers are, from `a=10.0.0.11,10.0.0.12;b=10.0.0.21,10.0.0.22`.
package struct ShardList: Hashable, Sendable {
    static let expectation = "NAME=HOST, several hosts with a comma and several shards with a semicolon between"
    static let pinsExpectation = "MODEL=SHARD or TENANT=SHARD, several with a comma between"

    /// As they were listed.
    package let names: [String]
    private let brokers: [String: [BrokerAddress]]

    /// Nil unless each shard is well-formed and named once.
    package init?(_ text: String) {
        var names: [String] = []
        var brokers: [String: [BrokerAddress]] = [:]
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            guard let sign = part.firstIndex(of: "="),
                let list = BrokerAddress.list(String(part[part.index(after: sign)...]))
            else { return nil }
            let name = String(part[..<sign])
            guard Self.isName(name), brokers.updateValue(list, forKey: name) == nil else { return nil }
            names.append(name)
        }
        self.names = names
        self.brokers = brokers
    }

    /// Which shard serves a model or tenant whatever the rule says, from `llama-3=a,acme=b`; nil unless each is named once.
    package static func pins(_ text: String) -> [String: String]? {
        var pins: [String: String] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            // Names of models may well have such a sign in them, and shards don't.
            guard let sign = part.lastIndex(of: "="), sign != part.startIndex else { return nil }
            let shard = String(part[part.index(after: sign)...])
            guard isName(shard), pins.updateValue(shard, forKey: String(part[..<sign])) == nil else { return nil }
        }
        return pins
    }

    /// Where a shard's brokers have one of their endpoints, with a comma between; nil for a shard that is not listed.
    package func endpoints(_ endpoint: BrokerAddress.Endpoint, of shard: String) -> String? {
        brokers[shard].map { $0.map { $0.endpoint(endpoint) }.joined(separator: ",") }
    }

    /// Short, of letters, digits, dots, dashes and underscores: it is a label of metrics and a word in messages.
    static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains($0))
            }
    }
}
