/// What the command line asked for.
struct Arguments: Sendable {
    static let usage = """
        usage: Reproduction [--short | --full] [--section a,b,…] [--policy a,b,…] [--only TEXT] [--again] [--write]

          --short     one seed, a target of 99 %, few policies and settings: minutes (default)
          --full      three seeds, targets of 90, 95 and 99 %, every mode and policy: hours
          --section   only these: \(Sections.names.joined(separator: ", "))
          --policy    only these policies, of those that a section compares
          --only      only questions whose name contains this
          --again     asks again what was answered before
          --write     runs nothing; writes the document from the findings that there are
          --root      the repository; default: the current directory

        """

    private(set) var scope = Scope.short
    private(set) var sections: [String] = []
    private(set) var policies: [String] = []
    private(set) var filter = ""
    private(set) var asksAgain = false
    private(set) var onlyWrites = false
    private(set) var wantsHelp = false
    private(set) var root = "."

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--short": scope = .short
            case "--full": scope = .full
            case "--again": asksAgain = true
            case "--write": onlyWrites = true
            case "--help", "-h": wantsHelp = true
            case "--section": sections = try Self.list(argument, rest.popFirst())
            case "--policy": policies = try Self.list(argument, rest.popFirst())
            case "--only": filter = try Self.value(argument, rest.popFirst())
            case "--root": root = try Self.value(argument, rest.popFirst())
            default: throw UsageError(message: "unknown argument '\(argument)'\n\n\(Self.usage)")
            }
        }
        // The list itself asks for no arguments.
        guard !wantsHelp else { return }
        for name in sections where !Sections.names.contains(name) {
            let known = Sections.names.joined(separator: ", ")
            throw UsageError(message: "no section '\(name)'; there are: \(known)")
        }
    }

    func wants(_ section: String) -> Bool {
        // What reads a clock wants the machine for itself, and never finds the same twice: only by name.
        let timed = [LiveService.name, MixedPool.name, AutoscaledDay.name, Decisions.name]
        return sections.isEmpty ? !timed.contains(section) : sections.contains(section)
    }

    func wants(_ key: QuestionKey) -> Bool {
        (policies.isEmpty || key.policy.isEmpty || policies.contains(key.policy))
            && (filter.isEmpty || key.text.contains(filter))
    }

    private static func value(_ option: String, _ text: String?) throws(UsageError) -> String {
        guard let text, !text.hasPrefix("--") else { throw UsageError(message: "\(option) needs a value") }
        return text
    }

    private static func list(_ option: String, _ text: String?) throws(UsageError) -> [String] {
        try value(option, text).split(separator: ",").map(String.init)
    }
}

/// Why the command line can't be followed.
struct UsageError: Error {
    let message: String
}

/// How thorough the studies are.
enum Scope: String, Codable, Sendable {
    case short
    case full

    var seeds: [UInt64] { self == .short ? [1] : [1, 2, 3] }
    var targets: [Double] { self == .short ? [0.99] : [0.9, 0.95, 0.99] }
    var command: String { ".build/release/Reproduction --\(rawValue)" }
}
