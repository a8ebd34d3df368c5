internal import Scheduling
internal import ServingModel

extension SettingForm {
    /// What a flag's value says; nil if it says nothing.
    package static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }

    static func isNumber(_ text: String, _ range: ClosedRange<Double>, _ sign: Sign) -> Bool {
        guard let number = Double(text), number.isFinite else { return false }
        return range.contains(number) && (sign == .any || number > 0)
    }

    static func areEndpoints(_ text: String) -> Bool {
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { isEndpoint(String($0)) }
    }

    /// Port `*` is any free one; whether a host or path can be used shows when it is.
    static func isEndpoint(_ text: String) -> Bool {
        if text.hasPrefix("ipc://") { return text.utf8.count > "ipc://".utf8.count }
        guard text.hasPrefix("tcp://") else { return false }
        let address = text.dropFirst("tcp://".count)
        guard let colon = address.lastIndex(of: ":"), colon != address.startIndex else { return false }
        let port = address[address.index(after: colon)...]
        return port == "*" || (port.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(port) != nil)
    }

    static func areURLs(_ text: String, _ isList: Bool) -> Bool {
        let parts = isList ? text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [text]
        return parts.allSatisfy { part in
            guard let scheme = ["http://", "https://"].first(where: part.hasPrefix) else { return false }
            let rest = part.dropFirst(scheme.count)
            let host = rest.prefix { $0 != "/" }
            return !host.isEmpty && !host.hasPrefix(":")
                && !rest.contains { $0.isWhitespace || "@?#".contains($0) }
        }
    }

    static func isEngine(_ text: String) -> Bool {
        ["cpu", "emulated", "upstream"].contains(text) || (text.hasPrefix("plugin:") && text != "plugin:")
    }

    static func policyFault(_ text: String) -> String? {
        do {
            _ = try PolicyCatalog.make(text, seed: 1)
            return nil
        } catch {
            return known(text, among: PolicyCatalog.names)
                ? "a policy with its settings: \(error.message)" : Self.policy.expectation
        }
    }

    static func scalingFault(_ text: String) -> String? {
        if text == "off" { return nil }
        do {
            _ = try FleetScaling(policy: text, limits: ScalingLimits(), startUp: .seconds(30))
            return nil
        } catch {
            return known(text, among: ScalingCatalog.names)
                ? "a policy with its settings: \(error.message)" : Self.scaling.expectation
        }
    }

    private static func known(_ text: String, among names: [String]) -> Bool {
        names.contains(String(text.prefix { $0 != ":" }))
    }

    static func arePairs(_ text: String) -> Bool {
        text.split(separator: ";").allSatisfy { part in
            guard let sign = part.firstIndex(of: "=") else { return false }
            return sign != part.startIndex
        }
    }

    static func isJournal(_ text: String) -> Bool {
        ["sqlite", "none"].contains(text) || ["postgres://", "postgresql://"].contains(where: text.hasPrefix)
    }

    /// A value as it may be shown: without the password of an address.
    package func shown(_ text: String) -> String {
        guard self == .journal, let start = text.firstRange(of: "://")?.upperBound,
            let at = text[start...].lastIndex(of: "@"), let colon = text[start..<at].firstIndex(of: ":")
        else { return text }
        return text[...colon] + "…" + text[at...]
    }

    static func isCurveKey(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    static func isWorkload(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && ["deployments", "statefulsets"].contains(parts[0]) && !parts[1].isEmpty
    }
}
