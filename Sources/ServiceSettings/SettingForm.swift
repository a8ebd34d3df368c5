internal import Scheduling

/// What a setting's value may be.
package enum SettingForm: Hashable, Sendable {
    /// Anything that is not empty; the words say what it stands for, as "a file with …".
    case text(String)
    /// On or off.
    case flag
    case integer(ClosedRange<Int>)
    /// A number of something, or a plain one where that is empty; with `.positive` above zero, too.
    case number(ClosedRange<Double>, Sign = .any, of: String)
    case choice([String])
    /// `tcp://HOST:PORT` or `ipc:///PATH`; several with a comma between.
    case endpoint
    /// Where brokers are, with a comma between.
    case hosts
    /// Shards by name, and where their brokers are.
    case shards
    /// Models or tenants, and the shards that serve them.
    case pins
    /// `HOST:PORT`.
    case address
    /// `http://HOST[:PORT][/PATH]`; with `isList`, several with a comma between.
    case url(isList: Bool = false)
    case engine
    case policy
    case scaling
    /// `KEY=VALUE`, with a semicolon between.
    case pairs
    /// A public CURVE key.
    case curveKey
    /// A Kubernetes workload.
    case workload
    /// `NAME=TTFT/ATGT`, with a comma between.
    case classes
    /// A kind of journal, or the address of a database.
    case journal

    package enum Sign: Hashable, Sendable {
        case any
        case positive
    }

    /// What would be right, if `text` is not: the rest of a sentence that begins with "it must be".
    package func expectation(unmetBy text: String) -> String? {
        if text.isEmpty, self != .text("") { return expectation }
        return switch self {
        case .text: nil
        case .flag: Self.truth(text) == nil ? expectation : nil
        case .integer(let range): Int(text).map(range.contains) == true ? nil : expectation
        case .number(let range, let sign, _): Self.isNumber(text, range, sign) ? nil : expectation
        case .choice(let names): names.contains(text) ? nil : expectation
        case .endpoint: Self.areEndpoints(text) ? nil : expectation
        case .hosts: BrokerAddress.list(text) == nil ? expectation : nil
        case .shards: ShardList(text) == nil ? expectation : nil
        case .pins: ShardList.pins(text) == nil ? expectation : nil
        case .address: HostAndPort(text) == nil ? expectation : nil
        case .url(let isList): Self.areURLs(text, isList) ? nil : expectation
        case .engine: Self.isEngine(text) ? nil : expectation
        case .policy: Self.policyFault(text)
        case .scaling: Self.scalingFault(text)
        case .pairs: Self.arePairs(text) ? nil : expectation
        case .curveKey: Self.isCurveKey(text) ? nil : expectation
        case .workload: Self.isWorkload(text) ? nil : expectation
        case .classes: ObjectiveClassList.fault(in: text)
        case .journal: Self.isJournal(text) ? nil : expectation
        }
    }

    /// What a value must be, in words.
    package var expectation: String {
        switch self {
        case .text(let what): return what
        case .flag: return "true or false"
        case .integer(let range):
            return range.upperBound == .max
                ? "a whole number, at least \(range.lowerBound)"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range, let sign, let unit):
            let least = sign == .positive ? "above 0" : "at least \(Self.short(range.lowerBound))"
            let most = range.upperBound == .infinity ? "" : ", at most \(Self.short(range.upperBound))"
            return "a number\(unit.isEmpty ? "," : " of \(unit)") \(least)\(most)"
        case .choice(let names):
            return names.count == 2 ? names.joined(separator: " or ") : "one of: \(names.joined(separator: ", "))"
        case .endpoint: return "tcp://HOST:PORT or ipc:///PATH, for example tcp://127.0.0.1:5550"
        case .hosts: return BrokerAddress.expectation
        case .shards: return ShardList.expectation
        case .pins: return ShardList.pinsExpectation
        case .address: return "HOST:PORT, for example 127.0.0.1:8080"
        case .url(let isList):
            return "an address like http://HOST:PORT (no user name, no query)"
                + (isList ? ", or several with a comma between" : "")
        case .engine: return "cpu, emulated, upstream or plugin:PATH"
        case .policy: return "one of: \(PolicyCatalog.names.joined(separator: ", ")), or name:key=value"
        case .scaling: return "off or one of: \(ScalingCatalog.names.joined(separator: ", ")), or name:key=value"
        case .pairs: return "KEY=VALUE, several with a semicolon between"
        case .curveKey: return "40 characters of Z85, as `aladdin keys list` prints them"
        case .workload: return "deployments/NAME or statefulsets/NAME"
        case .classes: return ObjectiveClassList.expectation
        case .journal: return "sqlite, none, or a database as postgres://USER@HOST:PORT/DATABASE?schema=NAME"
        }
    }

    /// Without a fraction where there is none.
    private static func short(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? "\(number)"
    }
}
