/// The members of a profile document, taken out one by one.
///
/// A member that was taken is gone, so what is left at the end is what the reader had no use for. A fault does not stop
/// the reading: a stand-in is returned and the fault is noted, so that the user sees all of them at once.
struct ProfileFields {
    private(set) var problems: [ProfileError.Problem] = []
    private var path: String
    private var members: [String: JSONValue]

    init(document: JSONValue) {
        path = ""
        members = document.members ?? [:]
        guard document.members == nil else { return }
        problems = [.init(field: "the profile", value: Self.name(of: document), expected: "a JSON object")]
    }

    /// The members that nobody took.
    var rest: [String: JSONValue] { members }

    /// Takes a text that must be there.
    mutating func text(_ key: String) -> String {
        let value = take(key)
        if case .string(let text) = value { return text }
        note(key, value, expected: "a text")
        return ""
    }

    /// Takes a whole number; it must be there unless there is a default.
    mutating func whole(_ key: String, default fallback: Int? = nil) -> Int {
        let value = take(key)
        switch value {
        case .integer(let number): return Int(number)
        case .number(let number):
            if let whole = Int(exactly: number) { return whole }
        case nil:
            if let fallback { return fallback }
        default: break
        }
        note(key, value, expected: "a whole number")
        return 0
    }

    /// Takes a number, or the default if it is absent.
    mutating func number(_ key: String, default fallback: Double) -> Double {
        numberIfPresent(key) ?? fallback
    }

    /// Takes a number that may be absent.
    mutating func numberIfPresent(_ key: String) -> Double? {
        let value = take(key)
        switch value {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        case nil: return nil
        default:
            note(key, value, expected: "a number")
            return nil
        }
    }

    /// Takes a section and lets `read` take from it; what `read` leaves stays here under the section's name.
    ///
    /// An absent section is read as an empty one, so that what it must contain is missed by name.
    mutating func section(_ key: String, required: Bool, read: (inout ProfileFields) -> Void) {
        let value = take(key)
        guard let members = value == nil ? [:] : value?.members else {
            return note(key, value, expected: "an object")
        }
        if required, value == nil { note(key, value, expected: "an object") }
        var fields = ProfileFields(document: .object(members))
        fields.path = path + key + "."
        read(&fields)
        problems += fields.problems
        if !fields.rest.isEmpty { self.members[key] = .object(fields.rest) }
    }

    /// Removes and returns a member; `null` counts as absent.
    private mutating func take(_ key: String) -> JSONValue? {
        let value = members.removeValue(forKey: key)
        return value == .null ? nil : value
    }

    private mutating func note(_ key: String, _ value: JSONValue?, expected: String) {
        problems.append(.init(field: path + key, value: value.map(Self.name) ?? "missing", expected: expected))
    }

    private static func name(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "the text \"\(value)\""
        case .array: "an array"
        case .object: "an object"
        }
    }
}
