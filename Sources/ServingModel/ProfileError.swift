/// What is wrong with a profile: every fault found, not only the first.
public struct ProfileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One field that can't be used as it is.
    public struct Problem: Hashable, Sendable, CustomStringConvertible {
        /// The field as a profile file spells it, with its section: `kv.capacity_tokens`.
        public var field: String
        /// What was found there; `missing` if nothing.
        public var value: String
        /// What would be right, to be read after "must be".
        public var expected: String

        /// A problem with a field.
        public init(field: String, value: String, expected: String) {
            self.field = field
            self.value = value
            self.expected = expected
        }

        /// Field, value and what would be right, as a sentence.
        public var description: String { "\(field) is \(value); it must be \(expected)" }
    }

    /// At least one, in the order of the file form.
    public var problems: [Problem]

    /// An error of at least one problem.
    public init(problems: [Problem]) {
        self.problems = problems
    }

    /// All problems in one line.
    public var description: String {
        "invalid profile: " + problems.map(\.description).joined(separator: "; ")
    }
}
