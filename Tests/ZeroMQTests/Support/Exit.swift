import Testing

extension ExitTest.Result {
    /// Ended by a trap, as preconditions do; an error thrown on the way there exits with a code instead.
    var isTrap: Bool {
        if case .signal = exitStatus { return true }
        return false
    }
}
