package import ServingModel

/// Why a body could not be read: which message, which field, what was wrong, never the content.
package struct DecodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Problem: String, Hashable, Sendable, CaseIterable {
        case notProtobuf = "not a protobuf message of this type"
        case overBudget = "needs more memory than its size allows"
        case invalidUTF8 = "not valid UTF-8"
        case embeddedNUL = "contains a NUL"
        case missing = "missing"
        case unknownValue = "not a known value"
        case notFinite = "not a finite number"
        case outOfRange = "out of range"
        case lengthMismatch = "length differs from its count"
    }

    /// The message that was to be decoded, as its Swift type is called.
    package var message: String
    /// Names as in the `.proto` files, from the message inwards, `step.progress[3].tokens.ids`; empty for the whole.
    package var field: String
    package var problem: Problem

    package init(message: String = "", field: String, problem: Problem) {
        self.message = message
        self.field = field
        self.problem = problem
    }

    package var description: String {
        field.isEmpty ? "\(message): \(problem.rawValue)" : "\(message).\(field): \(problem.rawValue)"
    }

    /// What to answer: INVALID_ARGUMENT, REASON_MALFORMED.
    package var status: Status {
        Status(.invalidArgument, .malformed, description)
    }

    /// The same failure as seen from one message further out.
    func inside(_ outer: String) -> DecodingFailure {
        DecodingFailure(message: message, field: field.isEmpty ? outer : "\(outer).\(field)", problem: problem)
    }
}
