/// A policy as it is asked for: its name and what departs from its defaults, `aladdin` or `aladdin:hold=off:batch=0.5`.
package struct PolicySettings: Hashable, Sendable {
    package let name: String
    private var values: [(key: String, value: String)]
    /// Keys that a policy has asked about: the ones that there are.
    private var known: [String] = []

    /// Reads `name[:key=value]…`.
    package init(_ text: String) throws(PolicyError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        name = parts[0]
        values = []
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
                throw PolicyError(message: "'\(part)' in policy '\(text)' is not of the form key=value")
            }
            values.append((pair[0], pair[1]))
        }
    }

    /// A setting that is a number in a range.
    package mutating func number(
        _ key: String,
        default value: Double,
        in range: ClosedRange<Double>
    ) throws(PolicyError) -> Double {
        guard let text = take(key) else { return value }
        guard let number = Double(text), range.contains(number) else {
            throw PolicyError(
                message: """
                    '\(key)' of policy '\(name)' must be a number from \(range.lowerBound) to \(range.upperBound), \
                    not '\(text)'
                    """
            )
        }
        return number
    }

    /// A setting that is on or off.
    package mutating func flag(_ key: String, default value: Bool) throws(PolicyError) -> Bool {
        guard let text = take(key) else { return value }
        guard text == "on" || text == "off" else {
            throw PolicyError(message: "'\(key)' of policy '\(name)' must be on or off, not '\(text)'")
        }
        return text == "on"
    }

    /// Refuses what no one asked about; to be called when all settings have been read.
    package func finish() throws(PolicyError) {
        guard let unknown = values.first else { return }
        let there = known.isEmpty ? "it has none" : "there are: \(known.joined(separator: ", "))"
        throw PolicyError(message: "policy '\(name)' has no setting '\(unknown.key)'; \(there)")
    }

    private mutating func take(_ key: String) -> String? {
        known.append(key)
        guard let position = values.lastIndex(where: { $0.key == key }) else { return nil }
        let value = values[position].value
        values.removeAll { $0.key == key }
        return value
    }

    package static func == (left: PolicySettings, right: PolicySettings) -> Bool {
        left.name == right.name && left.values.elementsEqual(right.values, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        for pair in values {
            hasher.combine(pair.key)
            hasher.combine(pair.value)
        }
    }
}

/// Why a policy can't be had.
package struct PolicyError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    package var description: String { message }
}
